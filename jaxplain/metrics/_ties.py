"""Ranks and top entries, where equal values are treated alike."""

import jax.numpy as jnp
from jaxtyping import Array, Float


def centred_ranks(values: Float[Array, " n"]) -> Float[Array, " n"]:
    """The rank of each entry from the lowest, less the mean of all ranks.

    Equal values share the mean of their ranks.
    """
    ordered = jnp.sort(values)
    below = jnp.searchsorted(ordered, values, side="left")
    up_to = jnp.searchsorted(ordered, values, side="right")
    # Twice the rank is an integer: exact before it is halved.
    twice = below + up_to - values.size
    return twice.astype(values.dtype) / 2


def top(values: Float[Array, " n"], k: Array) -> Float[Array, " n"]:
    """How much of each entry is among the `k` highest: 1, 0, or a share.

    Values that tie for the last places share them, so the order of the entries does not
    matter. The shares sum to `k`, which may be traced.
    """
    ordered = jnp.sort(values)
    last = ordered[jnp.clip(values.size - k, 0, values.size - 1)]
    above, tied = values > last, values == last
    left = (k - above.sum()).astype(values.dtype)
    share = left / jnp.maximum(tied.sum(), 1).astype(values.dtype)
    return jnp.where(above, 1, jnp.where(tied, share, 0)).astype(values.dtype)


def at_least(
    values: Float[Array, " n"], inside: Array
) -> tuple[Float[Array, " n"], Array, Array]:
    """Sorted values, and for each how many are as high, and how many of those inside.

    Lowest first. Equal values have equal counts.
    """
    order = jnp.argsort(values)
    ordered = values[order]
    before = jnp.concatenate(
        [jnp.zeros(1, jnp.int32), jnp.cumsum(inside[order], dtype=jnp.int32)]
    )
    first = jnp.searchsorted(ordered, ordered, side="left")
    dtype = values.dtype
    count = (values.size - first).astype(dtype)
    return ordered, count, (before[-1] - before[first]).astype(dtype)
