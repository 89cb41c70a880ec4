"""A random subset of a fixed size, of many features."""

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Bool, UInt32

from .._types import PRNGKey


def subset(key: PRNGKey, size: int, number: int) -> Bool[Array, " number"]:
    """Every subset of a size is equally likely."""
    return smallest(jr.bits(key, (number,), jnp.uint32), size)


def smallest(words: UInt32[Array, " n"], size: int) -> Bool[Array, " n"]:
    """Where the `size` smallest words are; of equal ones, the first.

    The largest of them is found bit by bit: on CPU, 32 passes over a thousand words are
    many times faster than a sort.
    """
    count = lambda mask: jnp.sum(mask, dtype=jnp.int32)

    def longer(i: Array, below: Array) -> Array:
        bit = jnp.uint32(1) << (31 - i).astype(jnp.uint32)
        trial = below | bit
        return jnp.where(count(words < trial) < size, trial, below)

    last = jax.lax.fori_loop(jnp.int32(0), jnp.int32(32), longer, jnp.uint32(0))
    sure, equal = words < last, words == last
    place = jnp.cumsum(equal, dtype=jnp.int32)
    return sure | (equal & (place <= size - count(sure)))
