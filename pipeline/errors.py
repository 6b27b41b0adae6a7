"""The one exception that a user, not a programmer, can cause."""


class InputError(ValueError):
    """Something in the params, the data or the machine is wrong; the message names the value, the rule and the remedy."""
