"""An error is its whole message."""

import pytest


def check(call, error, message):
    """`call()` raises exactly this, word for word."""
    with pytest.raises(error) as raised:
        call()
    assert type(raised.value) is error
    assert str(raised.value) == message


def cases(**table):
    """A parametrisation of `(call, error, message)` by name."""
    return pytest.mark.parametrize(
        ("call", "error", "message"), table.values(), ids=table.keys()
    )
