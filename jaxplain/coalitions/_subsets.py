"""Subsets of a given size: their number, and the one of a given rank."""

import math

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Bool, Int, UInt32

from .._types import PRNGKey

LIMIT = 2**32
"""Ranks below it fit into one random word."""


def random_order(key: PRNGKey, num_groups: int) -> Int[Array, " num_groups"]:
    # One sort, where `jr.permutation` compiles several.
    return jnp.argsort(jr.bits(key, (num_groups,), jnp.uint32))


def random_subset(
    key: PRNGKey, size: Int[Array, ""], num_groups: int
) -> Bool[Array, " num_groups"]:
    """Every subset of a size is equally likely."""
    order = random_order(key, num_groups)
    return order < jnp.asarray(size, order.dtype)


def unrank(
    rank: UInt32[Array, ""], size: Int[Array, ""], num_groups: int, largest: int
) -> Bool[Array, " num_groups"]:
    """The subset of a size with this rank in lexicographic order, from 0.

    For sizes up to `largest`, of which there are fewer than `LIMIT` subsets each.
    """
    if num_groups == 0:
        return jnp.zeros(0, bool)
    starting = jnp.asarray(_starting(num_groups, largest))

    def step(state: tuple[Array, Array], row: Array) -> tuple[tuple, Array]:
        rank, size = state
        with_it = row[size]
        taken = (size > 0) & (rank < with_it)
        return (
            jnp.where(taken, rank, rank - with_it),
            size - taken.astype(jnp.int32),
        ), taken

    start = (jnp.asarray(rank, jnp.uint32), jnp.asarray(size, jnp.int32))
    return jax.lax.scan(step, start, starting)[1]


def _starting(num_groups: int, largest: int) -> np.ndarray:
    """How many subsets of each size hold the first of the last `n` features."""
    count = [
        [math.comb(n - 1, k - 1) if k else 0 for k in range(largest + 1)]
        for n in range(num_groups, 0, -1)
    ]
    # A number that does not fit is never compared with a rank that does.
    return np.minimum(np.array(count, object), LIMIT - 1).astype(np.uint32)
