"""The `tap` primitive: the identity, with a name that survives every transformation."""

import contextlib
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from . import _jaxpr
from ._types import X

SCOPE = "jaxplain:"
"""What a `jax.named_scope` starts with that a listener opened, before the layer."""

tap_p = Primitive("tap")
tap_p.multiple_results = True
tap_p.def_impl(lambda *values, **_: list(values))
tap_p.def_abstract_eval(lambda *avals, **_: list(avals))
mlir.register_lowering(tap_p, lambda ctx, *values, **_: list(values))


def _jvp(values: Any, tangents: Any, **params: Any) -> tuple[list[Any], list[Any]]:
    return tap_p.bind(*values, **params), list(tangents)


def _batch(values: Any, axes: Any, **params: Any) -> tuple[list[Any], list[Any]]:
    # A batch axis goes first, so that a tap under `vmap` has one shape to expect.
    moved = [
        value if axis is None else jnp.moveaxis(value, axis, 0)
        for value, axis in zip(values, axes, strict=True)
    ]
    return tap_p.bind(*moved, **params), [None if a is None else 0 for a in axes]


ad.primitive_jvps[tap_p] = _jvp
batching.primitive_batchers[tap_p] = _batch


def tap(value: X, name: str) -> X:
    """Name a value inside a function, so that `cut` finds it.

    The identity, and free once compiled. Values named with
    `jax.ad_checkpoint.checkpoint_name` are found too, and so is what modules of Flax,
    Equinox and Keras return, which needs no tap.

    Args:
        value: Any pytree; its arrays are named together.
        name: Name, unique in the function or called more than once on purpose.

    Returns:
        `value`.

    Raises:
        TypeError: If `name` is no string.

    Example:
        >>> f = lambda x: tap(2.0 * x, "doubled").sum()
        >>> taps(f, jnp.ones(3))
        {'doubled': ShapeDtypeStruct(shape=(3,), dtype=float32)}
    """
    if not isinstance(name, str) or not name or "@" in name:
        raise TypeError(
            f"`name` must be a string without '@', but is {name!r}: "
            "'@0' picks the first call of a layer."
        )
    return _named(value, name, root="")


def _named(value: X, name: str, root: str) -> X:
    """`value`, named inside the module `root`, or by the user if that is empty."""
    leaves, treedef = jax.tree.flatten(value)
    where = [i for i, leaf in enumerate(leaves) if _jaxpr.is_array(leaf)]
    if not where:
        return value
    # Leaves that are no arrays have no place in a program: they are not part of it.
    whole = len(where) == len(leaves)
    tree = treedef if whole else jax.tree.structure([0] * len(where))
    arrays = [leaves[i] for i in where]
    named = tap_p.bind(*arrays, name=name, root=root, tree=tree)
    for i, leaf in zip(where, named, strict=True):
        leaves[i] = leaf
    return jax.tree.unflatten(treedef, leaves)


def tap_layer(
    call: Callable[[], X], name: str | None, root: str, besides: type | None = None
) -> X:
    """What `call()` returns, named; its equations know the layer they belong to.

    `name` is the path from the outermost module, of class `root`. That module's own is
    empty, and None is for what has no name. Nor has a value that holds an instance of
    `besides`, a module: it would come back as a copy.
    """
    with jax.named_scope(SCOPE + name) if name else contextlib.nullcontext():
        value = call()
    if name is None or (besides is not None and _holds(value, besides)):
        return value
    return _named(value, name, root)


def _holds(value: Any, kind: type) -> bool:
    is_one = lambda part: isinstance(part, kind)
    return any(map(is_one, jax.tree.leaves(value, is_leaf=is_one)))
