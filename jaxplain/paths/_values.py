"""The value of a function and its gradient, of one trace."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PyTree

from .. import _pooling, _tree


def widen(tree: PyTree) -> PyTree:
    """Every leaf in the dtype to sum it in."""
    return jax.tree.map(lambda leaf: leaf.astype(_tree.accumulator(leaf.dtype)), tree)


def flatten(tree: PyTree) -> Float[Array, " size"]:
    """All entries as one vector, in the widest dtype to sum in."""
    wide = _tree.widest(tree)
    return ravel_pytree(jax.tree.map(lambda leaf: leaf.astype(wide), tree))[0]


def unflatten(vector: Float[Array, " size"], like: PyTree) -> PyTree:
    wide = jax.tree.map(lambda leaf: leaf.astype(vector.dtype), like)
    return _tree.cast_like(ravel_pytree(wide)[1](vector), like)


def difference(x: PyTree, start: PyTree) -> PyTree:
    """`x - start`, not rounded to a narrow dtype."""
    return jax.tree.map(jnp.subtract, widen(x), widen(start))


def value_and_gradient(
    f: Callable[[Any], Array], x: PyTree
) -> tuple[Float[Array, ""], PyTree]:
    """A factor of 1 has the value of `f` for its slope: one gradient gives both."""

    def scaled(pair: tuple[Any, Array]) -> Array:
        value = f(pair[0])
        return pair[1].astype(value.dtype) * value

    # Made of `x`: under `shard_map` the slope in a constant is summed over all devices.
    one = jnp.where(jnp.isfinite(_tree.total(x)), 1, 1).astype(_tree.widest(x))
    gradient, value = _pooling.gradient(scaled)((x, one))
    return value, gradient


def work(slope: PyTree, way: PyTree) -> PyTree:
    """`slope * way`; what does not move counts for 0, even if its slope is infinite."""

    def one(slope: Array, way: Array) -> Array:
        # Finite slopes are left alone: the product has a derivative in the way.
        return jnp.where((way == 0) & ~jnp.isfinite(slope), 0, slope) * way

    return jax.tree.map(one, slope, way)


def on_line(
    f: Callable[[Any], Array], start: PyTree, x: PyTree
) -> Callable[[Array], tuple[Array, Array]]:
    """At a node: the value of `f`, and how fast each feature changes it there.

    The features are one vector; their rates sum to the slope of the value.
    """
    delta = flatten(difference(x, start))

    def at(node: Array) -> tuple[Array, Array]:
        value, gradient = value_and_gradient(f, _tree.lerp(start, x, node))
        return value, work(flatten(gradient).astype(delta.dtype), delta)

    return at
