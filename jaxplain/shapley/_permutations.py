"""Shapley values by random orders of the players."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .. import _tree, coalitions
from .._regression import root
from .._types import PRNGKey
from ._sample import Design, Estimate, Sample


def design(unions: Sequence[np.ndarray] = ()) -> Design:
    """Whole pairs of an order and its reverse; samples beyond them are left out."""

    def orders(key: PRNGKey, num_groups: int, num_samples: int) -> Any:
        counts = np.full(num_groups + 1, 2 * (num_samples // (2 * (num_groups - 1))))
        counts[[0, -1]] = 0
        return coalitions.permutations(key, num_groups, unions=unions), counts

    return orders


def mean_gains(sample: Sample) -> Estimate:
    """What each player adds when it comes, on average over the orders."""
    d, values = sample.num_groups, sample.values
    steps = d - 1
    pairs = len(values) // (2 * steps)

    def gains(walk: Array) -> Array:
        """What each player adds in one order."""
        first = walk * steps
        between = jax.lax.dynamic_slice(values, (first,), (steps,))
        path = jnp.concatenate(
            [jnp.zeros_like(between[:1]), between, sample.full[None]]
        )
        masks = jax.vmap(sample.draw)(first + jnp.arange(steps))
        return jnp.diff(path)[steps - masks.sum(0)]

    def one(pair: Array) -> Array:
        return (gains(2 * pair) + gains(2 * pair + 1)) / 2

    chunk = sample.chunk_size and max(1, sample.chunk_size // (2 * steps))
    mean = _tree.mean_samples(one, pairs, chunk)
    squares = _tree.mean_samples(lambda p: (one(p) - mean) ** 2, pairs, chunk)
    # The deviation of a Student distribution: infinite for up to three pairs.
    freedom = pairs - 3
    error = root(squares / freedom) if freedom > 0 else jnp.full(d, jnp.inf)
    return Estimate(mean, error.astype(mean.dtype), sample.evaluations)
