"""Equinox: modules are pytrees; the outermost one that is called knows every path."""

import contextlib
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp

from ._patches import Method, patched
from ._paths import chosen, named_by_root


@contextlib.contextmanager
def listen() -> Iterator[None]:
    import equinox as eqx

    named = named_by_root(eqx.Module, _paths, _sizes)

    def handler(method: Method, module: Any, *args: Any, **kwargs: Any) -> Any:
        where = type(module).__module__
        if where.startswith("equinox.") and not where.startswith("equinox.nn"):
            # What `filter_jit` and the like return is a module too, but no layer.
            return method.original(module, *args, **kwargs)
        return named(method, module, *args, **kwargs)

    with patched(eqx.Module, chosen("equinox"), handler):
        yield


def _paths(module: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    import equinox as eqx

    def is_child(node: Any) -> bool:
        return isinstance(node, eqx.Module) and node is not module

    yield above, module
    for keys, node in jax.tree_util.tree_leaves_with_path(module, is_leaf=is_child):
        if is_child(node):
            path = jax.tree_util.keystr(keys, simple=True, separator="/")
            yield from _paths(node, f"{above}/{path}" if above else path)


def _sizes(module: Any) -> Any:
    return [jnp.shape(leaf) for leaf in jax.tree.leaves(module)]
