"""The one exception that a user, not a programmer, can cause."""


class InputError(ValueError):
    """The params, the data or the machine are not right; the message names the value, the rule and the remedy."""
