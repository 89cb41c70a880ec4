"""Listeners: name the outputs of modules while a function is traced.

A listener is entered for one trace, only if the user has imported its framework, and
does nothing but call `tap` with the path of the module. Models are never edited.
"""

import contextlib
import functools
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import jax

from ._tap import tap

# Part of the key of jit's cache: a function compiled before is traced again, once, so
# that its names are seen, and ordinary calls keep the program they had.
_listening = jax.make_user_context(False)

# Patching classes is process-wide; two threads must not undo each other's patches.
_lock = threading.RLock()

Listener = Callable[[], contextlib.AbstractContextManager[None]]
_listeners: dict[str, Listener] = {}


def listener(framework: str) -> Callable[[Callable[[], Iterator[None]]], Listener]:
    """Register a context manager for the module named `framework`."""

    def register(fn: Callable[[], Iterator[None]]) -> Listener:
        return _listeners.setdefault(framework, contextlib.contextmanager(fn))

    return register


@contextlib.contextmanager
def listening() -> Iterator[None]:
    """Name the outputs of modules of every framework that is imported."""
    if _listening.value:  # names are given once
        yield
        return
    with _lock, contextlib.ExitStack() as stack:
        stack.enter_context(_listening(True))
        for framework, enter in _listeners.items():
            if framework in sys.modules:
                stack.enter_context(enter())
        yield


@listener("flax.linen")
def _linen() -> Iterator[None]:
    from flax import linen as nn

    def name_output(call: Any, args: Any, kwargs: Any, context: Any) -> Any:
        out = call(*args, **kwargs)
        module, method = context.module, context.method_name
        path = "/".join(module.path) if module.scope is not None else ""
        # A method that linen made up, such as the body of a scan, is not the module's.
        public = not method.startswith("_") and method != "setup"
        named = method == "__call__" or (public and hasattr(type(module), method))
        if not path or not named or not _listening.value:
            return out
        return tap(out, path if method == "__call__" else f"{path}.{method}")

    with nn.intercept_methods(name_output):
        yield


@listener("flax.nnx")
def _nnx() -> Iterator[None]:
    from flax import nnx

    with _patched_calls(nnx.Module, _named_by_root(_nnx_paths)):
        yield


def _nnx_paths(module: Any) -> Iterator[tuple[str, Any]]:
    from flax import nnx

    for path, child in nnx.iter_modules(module):
        yield "/".join(map(str, path)), child


def _named_by_root(
    paths: Callable[[Any], Iterator[tuple[str, Any]]],
) -> Callable[[Any, Callable[[], Any]], Any]:
    """Names for modules that do not know theirs: the path from the outermost one."""
    stack: list[tuple[dict[int, str], str]] = []

    def enter(module: Any, call: Callable[[], Any]) -> Any:
        names, parent = stack[-1] if stack else ({}, "")
        if id(module) not in names:  # the root, or a copy that a transform made
            prefix = [parent, type(module).__name__] if stack else []
            names = names | {
                id(child): "/".join(filter(None, [*prefix, path]))
                for path, child in paths(module)
            }
        path = names[id(module)]
        is_super_call = bool(stack) and path == parent
        stack.append((names, path))
        try:
            out = call()
        finally:
            stack.pop()
        return out if is_super_call or not path else tap(out, path)

    return enter


@contextlib.contextmanager
def _patched_calls(
    base: type, enter: Callable[[Any, Callable[[], Any]], Any]
) -> Iterator[None]:
    """Send every `__call__` of `base` and its subclasses through `enter`, for a while.

    Other threads go on as before: they are not listening.
    """

    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            if not _listening.value:
                return original(self, *args, **kwargs)
            return enter(self, lambda: original(self, *args, **kwargs))

        return call

    saved = [
        (cls, vars(cls)["__call__"])
        for cls in {base, *_subclasses(base)}
        if "__call__" in vars(cls)
    ]
    try:
        for cls, original in saved:
            type.__setattr__(cls, "__call__", wrap(original))
        yield
    finally:
        for cls, original in saved:
            type.__setattr__(cls, "__call__", original)


def _subclasses(cls: type) -> Iterator[type]:
    for child in cls.__subclasses__():
        yield child
        yield from _subclasses(child)
