"""Points that fill a cube more evenly than random ones do."""

from collections.abc import Callable
from functools import cache
from typing import TypeAlias

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int, UInt32

from .._types import PRNGKey

Points: TypeAlias = Callable[[Int[Array, ""]], Float[Array, " dim"]]

# In 32 bits whatever the mode, so that the same key draws the same points. With half a
# step added, 23 bits are exact in float32, and neither 0 nor 1. Narrower dtypes of an
# input round some of them to 1.
BITS = 23
MOST_BITS, MOST_DIMENSIONS = 20, 21201


def independent(key: PRNGKey, dim: int) -> Points:
    """Random points of the unit cube."""
    # A point is drawn again wherever it is used, and must be the same. Other generators
    # than Threefry draw other numbers under `vmap`.
    seed = jr.bits(key, (2,), jnp.uint32)
    key = jr.wrap_key_data(seed, impl="threefry2x32")
    return lambda i: _in_cube(_words(jr.fold_in(key, i), (dim,)))


def scrambled_sobol(
    key: PRNGKey, num_points: int, num_replicates: int, dim: int
) -> Points:
    """Sobol sequences of `num_points`, a power of 2, each scrambled on its own.

    Every random linear map keeps the net a net; the random shift makes each of its
    points uniform. Replicates follow each other, and are independent.
    """
    bits = max(num_points.bit_length() - 1, 1)
    directions = jnp.asarray(_directions(dim, bits))
    words = _words(key, (num_replicates, dim, BITS + 1))
    maps, shifts = _mapped(words[..., 1:], directions), words[..., 0]
    places = jnp.arange(bits, dtype=jnp.uint32)

    def point(i: Int[Array, ""]) -> Float[Array, " dim"]:
        replicate, place = i // num_points, (i % num_points).astype(jnp.uint32)
        chosen = ((place >> places) & 1)[None] * maps[replicate]
        word = jax.lax.reduce(chosen, np.uint32(0), jax.lax.bitwise_xor, (1,))
        return _in_cube(word ^ shifts[replicate])

    return point


def _words(key: PRNGKey, shape: tuple[int, ...]) -> UInt32[Array, "..."]:
    return jr.bits(key, shape, jnp.uint32) >> (32 - BITS)


def _in_cube(words: UInt32[Array, " dim"]) -> Float[Array, " dim"]:
    return (words.astype(jnp.float32) + 0.5) * jnp.float32(2.0**-BITS)


def _mapped(
    words: UInt32[Array, "replicates dim digits"],
    directions: UInt32[Array, "dim bits"],
) -> UInt32[Array, "replicates dim bits"]:
    """The directions under random lower triangular matrices of bits.

    Every bit becomes itself plus a random sum of those above it.
    """
    unit = np.left_shift(np.uint32(1), np.arange(BITS, dtype=np.uint32)[::-1])
    above = np.uint32(2**BITS - 1) ^ (2 * unit - np.uint32(1))
    unit, above = jnp.asarray(unit), jnp.asarray(above)
    rows = words & above[None, None] | unit[None, None]
    odd = jax.lax.population_count(rows[:, :, None] & directions[None, ..., None]) & 1
    return (odd * unit[None, None, None]).sum(-1, dtype=jnp.uint32)


@cache
def _directions(dim: int, bits: int) -> UInt32[np.ndarray, "dim bits"]:
    """The directions of the Sobol sequence: its points numbered 1, 2, 4, 8...

    The table of primitive polynomials is SciPy's, which lists the points in the order
    of a Gray code: there, number `2 ** k` comes at place `2 ** (k + 1) - 1`.
    """
    # Slow to import, and only needed here.
    from scipy.stats import qmc

    sequence, place, points = qmc.Sobol(dim, scramble=False, bits=30), 0, []
    for k in range(bits):
        sequence.fast_forward(2 ** (k + 1) - 1 - place)
        points.append(sequence.random(1)[0])
        place = 2 ** (k + 1)
    return np.round(np.stack(points, 1) * 2.0**BITS).astype(np.uint32)
