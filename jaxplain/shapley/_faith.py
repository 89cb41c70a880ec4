"""The game of main effects and pairs that is nearest to a game."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .. import _regression, _tree
from .._regression import root
from ._least_squares import drawn_share, size_weights, solve
from ._sample import Sample


def nearest_pairs(sample: Sample) -> tuple[Array, Array, Array]:
    r"""Main effects and pairs by least squares, with the right total.

    The weights are those of the Shapley kernel; the empty and the full coalition are
    met exactly. Returns main effects, pairs `i < j`, and their standard errors, of HC3
    by pairs of complements.
    """
    d, dtype = sample.num_groups, sample.values.dtype
    i, j = np.triu_indices(d, 1)
    number = d + len(i)
    share = sample.full / number
    weights = size_weights(sample)

    def row(k: Array) -> tuple[Array, Array, Array]:
        mask = sample.draw(k)
        terms = jnp.concatenate([mask, mask[i] & mask[j]]).astype(dtype)
        y = sample.values[k] - share * terms.sum()
        # What is left to find sums to zero, as in the regression of main effects.
        return terms - terms.mean(), y, weights[mask.sum()]

    equations = _regression.normal_equations(row, len(sample.values), sample.chunk_size)
    rest, inverse, known = solve(*equations)
    missing = 1 - drawn_share(sample)

    def influence(k: Array) -> Array:
        z, y, w = row(k)
        change = _regression.dot(inverse, z) * w
        leverage = jnp.minimum(jnp.sum(change * z), 1)
        left = (y - _regression.dot(z, rest)) / jnp.maximum(1 - leverage, 1e-3)
        return jnp.sqrt(missing[sample.draw(k).sum()]) * change * left

    def spread(indices: Array, valid: Array) -> tuple:
        both = jax.vmap(lambda p: influence(2 * p) + influence(2 * p + 1))(indices)
        return jnp.where(valid[:, None], both**2, 0).sum(0), ()

    half = max(1, len(sample.values) // 2)
    chunk = sample.chunk_size and max(1, sample.chunk_size // 2)
    error = root(_tree.loop(spread, half, chunk)[0])
    found = jnp.where(known, rest - rest.mean() + share, jnp.nan)
    error = jnp.where(known, error, jnp.nan)
    return found[:d], found[d:], error[d:]
