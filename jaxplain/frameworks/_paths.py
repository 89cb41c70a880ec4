"""Names for modules that do not know theirs: the path from the outermost one."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeAlias

from .._modules import PATH, name_of, place
from .._tap import tap_layer
from ._patches import Handler, Method

Paths: TypeAlias = Callable[[Any], Iterator[tuple[str, Any]]]
"""The modules inside a module, itself among them, with their paths."""

Known: TypeAlias = dict[int, tuple[str, Any]]
"""Paths and modules by the identity of the module."""


class Running(NamedTuple):
    """A module whose method runs, and the modules that have a path there."""

    module: Any
    method: Method
    root: str
    path: str
    known: Known


def chosen(framework: str) -> Callable[[type, str, Any], bool]:
    """Calls of every module, and public methods of those that the user wrote."""

    def choose(owner: type, name: str, value: Any) -> bool:
        if name == "__call__":
            return callable(value)
        theirs = owner.__module__.partition(".")[0] == framework
        return not theirs and not name.startswith("_") and inspect.isfunction(value)

    return choose


def named_by_root(base: type, paths: Paths, sizes: Callable[[Any], Any]) -> Handler:
    """A handler that names what modules of `base` return, for one trace.

    `sizes(module)` is what tells a module from another one of its class.
    """
    running: list[Running] = []

    def handle(method: Method, module: Any, *args: Any, **kwargs: Any) -> Any:
        call = lambda: method.original(module, *args, **kwargs)
        last = running[-1] if running else None
        if last is not None and _is_super(module, method, last):
            return call()
        root = last.root if last else type(module).__name__
        known = last.known if last else {}
        if id(module) not in known:  # the outermost, or a copy that a transform made
            start = getattr(module, PATH, None)
            if start is None:
                start = _path_of_copy(module, last, sizes) if last else ""
            inside = {id(m): (_join(start, path), m) for path, m in paths(module)}
            known = known | inside
        path, _ = known[id(module)]
        running.append(Running(module, method, root, path, known))
        here = (root, path) if last is None or _is_transformed(method) else place.value
        name = name_of(path, method.name)
        try:
            with place(here):
                return tap_layer(call, name, root, besides=base)
        finally:
            running.pop()

    return handle


def _is_transformed(method: Method) -> bool:
    """May the method be compiled, so that modules that are alike share a program?

    Only then does it need a place of its own: with one, the functions that JAX compiles
    inside, such as `jax.nn.relu`, are traced again there.
    """
    plain = inspect.isfunction(method.original)
    return not plain or hasattr(method.original, "__wrapped__")


def _is_super(module: Any, method: Method, last: Running) -> bool:
    """Is this the method of a base class, called by the one that overrides it?"""
    if module is not last.module or method.name != last.method.name:
        return False
    order = type(module).__mro__
    return order.index(method.owner) > order.index(last.method.owner)


def _path_of_copy(module: Any, last: Running, sizes: Callable[[Any], Any]) -> str:
    """The path of the module that this copy looks like: the running one, or below it.

    Where several look like it, the copy is named by its class.
    """
    below = last.path and last.path + "/"
    alike = {
        path: other
        for path, other in last.known.values()
        if type(other) is type(module) and (path == last.path or path.startswith(below))
    }
    if len(alike) > 1:
        mine = sizes(module)
        alike = {path: other for path, other in alike.items() if sizes(other) == mine}
    if len(alike) == 1:
        return next(iter(alike))
    return _join(last.path, type(module).__name__)


def _join(*parts: str) -> str:
    return "/".join(filter(None, parts))
