"""Values drawn as the training data have them, one column at a time."""

from typing import Any

import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int

from .._types import PRNGKey
from . import _inputs
from ._bins import Bins, at, number_of, place_of


def place(
    key: PRNGKey, bins: Bins, share: Float[Array, "columns bins"]
) -> Int[Array, " columns"]:
    """A bin for each column, in proportion to `share`."""
    bounds = jnp.cumsum(share, 1)
    point = jr.uniform(key, share.shape[:1], share.dtype) * bounds[:, -1]
    # Rounding may bring the point to the end of the last bin, where none follows.
    drawn = jnp.minimum((bounds <= point[:, None]).sum(1), number_of(bins) - 1)
    return drawn.astype(jnp.int32)


def value(
    key: PRNGKey, bins: Bins, place: Int[Array, " columns"], dtype: Any
) -> Float[Array, " columns"]:
    """A value in each bin: of a normal law with its moments, cut off at its ends."""
    mean, std, low, high = (
        at(field, place, dtype) for field in (bins.mean, bins.std, bins.low, bins.high)
    )
    spread = std > 0
    unit = jnp.where(spread, std, 1)
    lower, upper = (jnp.where(spread, (end - mean) / unit, 0) for end in (low, high))
    drawn = mean + std * jr.truncated_normal(key, lower, upper, dtype=dtype)
    # Rounding must not carry it over an end.
    return jnp.where(spread, jnp.clip(drawn, low, high), mean)


def place_seen(
    bins: Bins, place: Int[Array, " columns"], neighbour: Float[Array, " columns"]
) -> Int[Array, " columns"]:
    """The bins that `f` sees: rounding may have carried a number to the next one."""
    rounded, _ = place_of(bins, _inputs.wide(neighbour))
    # A category that is rounded is in no bin at all.
    return jnp.where(jnp.asarray(bins.categorical), place, rounded)
