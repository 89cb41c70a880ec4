"""Pytree arithmetic, and the one loop over samples."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from . import _checks, _convolutions, _jaxpr


def map_prefix(fn: Callable[..., Any], prefix: PyTree, tree: PyTree) -> PyTree:
    """`fn(p, leaf)` for every leaf of `tree` and the entry of `prefix` above it."""

    def below(p: Any, subtree: PyTree) -> PyTree:
        return jax.tree.map(lambda leaf: fn(p, leaf), subtree)

    return jax.tree.map(below, prefix, tree)


def accumulator(dtype: Any) -> Any:
    """The dtype to sum in: at least float32, and float64 for long integers."""
    long = jnp.issubdtype(dtype, jnp.integer) and jnp.dtype(dtype).itemsize > 4
    return jnp.float64 if long else _widest([dtype, jnp.float32])


def widest(tree: PyTree) -> Any:
    """The widest dtype to sum in, over the leaves of a tree."""
    return _widest([jnp.float32, *(leaf.dtype for leaf in leaves(tree))])


def _widest(dtypes: list[Any]) -> Any:
    # Not `promote_types`, which refuses to choose if the user asks JAX to be strict.
    floating = [d for d in map(jnp.dtype, dtypes) if jnp.issubdtype(d, jnp.inexact)]
    return max(floating, key=lambda dtype: dtype.itemsize)


def cast_like(tree: PyTree, like: PyTree) -> PyTree:
    return jax.tree.map(lambda leaf, other: leaf.astype(other.dtype), tree, like)


def pick(values: Array, labels: Any) -> Array:
    """The value of each label; NaN for one out of range that no check could see."""
    labels = jnp.asarray(labels, jnp.int32)
    labels = jnp.where(labels < 0, values.shape[0], labels)
    return values.at[labels].get(mode="fill", fill_value=jnp.nan)


def lerp(start: PyTree, end: PyTree, weight: PyTree) -> PyTree:
    """`(1 - weight) * start + weight * end`, exact at both ends."""

    def between(weight: Array, a: Array, b: Array) -> Array:
        w = jnp.asarray(weight).astype(accumulator(a.dtype))
        w = jnp.broadcast_to(w, a.shape)
        a32, b32 = a.astype(w.dtype), b.astype(w.dtype)
        # What is absent must not count, even if it is NaN; where both ends are finite
        # the gradient in the weight is left alone.
        a32 = jnp.where((w == 1) & ~jnp.isfinite(a32), 0, a32)
        b32 = jnp.where((w == 0) & ~jnp.isfinite(b32), 0, b32)
        return ((1 - w) * a32 + w * b32).astype(a.dtype)

    weight = map_prefix(lambda w, _: w, weight, start)
    return jax.tree.map(between, weight, start, end)


def mul(a: PyTree, b: PyTree) -> PyTree:
    return jax.tree.map(jnp.multiply, a, b)


def total(tree: PyTree) -> Array:
    """The sum of every entry of every leaf."""
    dtype = widest(tree)
    sums = [jnp.sum(leaf, dtype=dtype) for leaf in leaves(tree)]
    return sum(sums, jnp.zeros((), dtype))


def leaves(tree: PyTree) -> list[Array]:
    return [jnp.asarray(leaf) for leaf in jax.tree.leaves(tree)]


def loop(
    part: Callable[[Array, Array], tuple[PyTree, PyTree]],
    num_samples: int,
    chunk_size: int | None,
) -> tuple[PyTree, PyTree]:
    """Run over the samples `0 ... num_samples - 1`, a chunk at a time.

    `part(indices, valid)` sees one chunk, and returns what to add up over the chunks
    and what to stack over the samples. The last chunk repeats its last sample where
    `valid` is 0. Memory follows the chunk, and the size of what is stacked.
    """
    _checks.count("num_samples", num_samples)
    _checks.chunk_size(chunk_size)
    if chunk_size is None or chunk_size >= num_samples:
        return part(jnp.arange(num_samples), jnp.ones(num_samples, bool))
    num_chunks = -(-num_samples // chunk_size)
    size = -(-num_samples // num_chunks)  # chunks of equal size waste the least
    flat = np.arange(num_chunks * size)
    valid = jnp.asarray(flat < num_samples).reshape(num_chunks, size)
    indices = jnp.asarray(np.minimum(flat, num_samples - 1)).reshape(num_chunks, size)
    body, (sums, _) = _convolutions.canonical_convolutions(part, indices[0], valid[0])
    # With an axis in front: JAX loses the mesh of a constant scalar in a carry.
    zeros = jax.tree.map(lambda s: _jaxpr.zeros(s)[None], sums)

    def step(running: PyTree, chunk: tuple[Array, Array]) -> tuple[PyTree, PyTree]:
        sums, stack = body(*chunk)
        return jax.tree.map(lambda r, s: r + s[None], running, sums), stack

    sums, stack = jax.lax.scan(step, zeros, (indices, valid))
    flatten = lambda leaf: leaf.reshape(-1, *leaf.shape[2:])[:num_samples]
    return jax.tree.map(lambda s: s[0], sums), jax.tree.map(flatten, stack)


def map_samples(
    fn: Callable[[Array], PyTree], num_samples: int, chunk_size: int | None
) -> PyTree:
    """`fn` of every index, stacked."""
    part = lambda indices, valid: ((), jax.vmap(fn)(indices))
    return loop(part, num_samples, chunk_size)[1]


def mean_samples(
    fn: Callable[[Array], PyTree],
    num_samples: int,
    chunk_size: int | None,
    weights: Any = None,
) -> PyTree:
    """The mean of `fn` over indices, or its sum by `weights`, without a stack.

    Sums run in at least float32; floating-point leaves keep their dtype.
    """
    weights = np.full(num_samples, 1 / num_samples) if weights is None else weights
    dtypes: list[PyTree] = []  # of what `fn` returns, seen while it is traced

    def part(indices: Array, valid: Array) -> tuple[PyTree, PyTree]:
        samples = jax.tree.map(jnp.asarray, jax.vmap(fn)(indices))
        dtypes[:] = [jax.tree.map(lambda leaf: leaf.dtype, samples)]

        def weigh(leaf: Array) -> Array:
            dtype = accumulator(leaf.dtype)
            w = jnp.asarray(weights, dtype)[indices]
            column = jnp.broadcast_to(
                valid.reshape(-1, *(1,) * (leaf.ndim - 1)), leaf.shape
            )
            # A sample that only fills the chunk must not count, even if it is infinite.
            counted = jnp.where(column, leaf.astype(dtype), 0)
            return weighted_sum(w, counted)

        return jax.tree.map(weigh, samples), ()

    sums, _ = loop(part, num_samples, chunk_size)

    def restore(total: Array, dtype: Any) -> Array:
        return total.astype(dtype) if jnp.issubdtype(dtype, jnp.inexact) else total

    return jax.tree.map(restore, sums, dtypes[0])


def weighted_sum(weights: Array, samples: Array) -> Array:
    """The sum over the first axis, weighted."""

    def plain(w: Array, samples: Array) -> Array:
        shape = samples.shape
        w = jnp.broadcast_to(w.reshape(-1, *(1,) * (len(shape) - 1)), shape)
        return jnp.sum(w * samples, 0)

    # XLA's CPU compiler is slow at sums of products that are not one; that of a TPU
    # would turn what is infinite into NaN.
    product = lambda w, samples: jnp.tensordot(w, samples, 1, precision="highest")
    return jax.lax.platform_dependent(weights, samples, cpu=product, default=plain)


def constant(values: np.ndarray, like: PyTree) -> Array:
    """A table of float64, in the widest precision that `like` sums in."""
    return jnp.asarray(values, widest(like))
