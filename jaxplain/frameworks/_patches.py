"""Methods of classes that answer differently to a thread that listens."""

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple, TypeAlias


class Method(NamedTuple):
    """A method as its class wrote it."""

    owner: type
    name: str
    original: Callable[..., Any]


Handler: TypeAlias = Callable[..., Any]
"""`handle(method, self, *args, **kwargs)` is called in the place of the method."""

Chosen: TypeAlias = Callable[[type, str, Any], bool]
"""Which of its own attributes, `choose(owner, name, value)`, a class has patched."""

# Classes belong to the process and traces to a thread: a patch is there as long as
# someone listens, and does something for those who do. The lock guards these tables; it
# is never held while a function runs, so that threads cannot wait for each other.
_lock = threading.Lock()
_originals: dict[type, dict[tuple[type, str], Any]] = {}
_listeners: dict[type, int] = {}
_handlers: ContextVar[tuple[tuple[type, Handler], ...]] = ContextVar(
    "handlers", default=()
)


@contextlib.contextmanager
def patched(base: type, choose: Chosen, handler: Handler) -> Iterator[None]:
    """Send methods of `base` and its subclasses to `handler`, in this thread."""
    token = _handlers.set((*_handlers.get(), (base, handler)))
    try:
        with _lock:
            _listeners[base] = _listeners.get(base, 0) + 1
            _patch(base, choose)
        yield
    finally:
        with _lock:
            _listeners[base] -= 1
            if not _listeners[base]:
                _restore(base)
        _handlers.reset(token)


def _patch(base: type, choose: Chosen) -> None:
    """Patch what is not patched yet: classes may be new since another thread came."""
    originals = _originals.setdefault(base, {})
    for owner in {base, *_subclasses(base)}:
        for name, value in list(vars(owner).items()):
            if (owner, name) not in originals and choose(owner, name, value):
                originals[owner, name] = value
                type.__setattr__(owner, name, _through_handler(base, owner, name))


def _restore(base: type) -> None:
    for (owner, name), original in _originals.pop(base).items():
        type.__setattr__(owner, name, original)


def _through_handler(base: type, owner: type, name: str) -> Any:
    original = vars(owner)[name]
    of_class = isinstance(original, classmethod)
    function = original.__func__ if of_class else original
    method = Method(owner, name, function)

    @functools.wraps(function)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        for listened, handler in _handlers.get():
            if listened is base:
                return handler(method, self, *args, **kwargs)
        return function(self, *args, **kwargs)

    return classmethod(call) if of_class else call


def _subclasses(cls: type) -> Iterator[type]:
    for child in cls.__subclasses__():
        yield child
        yield from _subclasses(child)
