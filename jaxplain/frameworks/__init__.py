"""Listeners: name the outputs of modules while a function is traced.

A listener is entered for one trace, only if the user has imported its framework, and
does nothing but call `tap` with the path of the module. Models are never edited.
"""

import contextlib
import sys
from collections.abc import Callable, Iterator

from .._modules import place
from . import _equinox, _keras, _linen, _nnx

Listener = Callable[[], contextlib.AbstractContextManager[None]]

LISTENERS: dict[str, Listener] = {
    "flax.linen": _linen.listen,
    "flax.nnx": _nnx.listen,
    "equinox": _equinox.listen,
    "keras": _keras.listen,
}


@contextlib.contextmanager
def listening() -> Iterator[None]:
    """Name the outputs of modules of every framework that is imported."""
    if place.value is not None:  # names are given once
        yield
        return
    with contextlib.ExitStack() as stack:
        stack.enter_context(place(("", "")))
        for framework, listen in LISTENERS.items():
            if framework in sys.modules:
                stack.enter_context(listen())
        yield
