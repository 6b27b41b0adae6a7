"""How a law is put to the test: on some drawn arguments in every run, on five times as many under ``proof``."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

Law = Callable[..., None]


def holds_for(examples: int, **drawn: st.SearchStrategy[Any]) -> Callable[[Law], Law]:
    """Makes a test of a law on ``drawn`` arguments.

    Args:
        examples: how many in `make test`.
    """

    def of(law: Law) -> Law:
        @pytest.mark.parametrize("examples", [examples, pytest.param(5 * examples, marks=pytest.mark.proof)])
        def test(examples: int) -> None:
            settings(max_examples=examples, derandomize=True, deadline=None)(given(**drawn)(law))()

        return test

    return of
