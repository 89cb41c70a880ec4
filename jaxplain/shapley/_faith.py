"""The game of main effects and pairs that is nearest to a game."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .. import _regression, _tree
from .._regression import root
from ._least_squares import drawn_share, left_out, size_weights, solve
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

    def influence(k: Array) -> tuple[Array, Array]:
        z, y, w = row(k)
        change = _regression.dot(inverse, z) * w
        rest_of_it = y - _regression.dot(z, rest)
        left, alone = left_out(rest_of_it, jnp.sum(change * z), jnp.bool_(True))
        unseen = missing[sample.draw(k).sum()]
        return jnp.sqrt(unseen) * change * left, alone & (unseen > 0)

    def spread(indices: Array, valid: Array) -> tuple:
        pairs = jnp.stack([2 * indices, 2 * indices + 1], 1)
        changes, alone = jax.vmap(jax.vmap(influence))(pairs)
        squares = jnp.where(valid[:, None], changes.sum(1) ** 2, 0)
        return (squares.sum(0), (valid[:, None] & alone).any()), ()

    half = max(1, len(sample.values) // 2)
    chunk = sample.chunk_size and max(1, sample.chunk_size // 2)
    (variance, unknown), _ = _tree.loop(spread, half, chunk)
    error = root(jnp.where(unknown, jnp.inf, variance))
    found = jnp.where(known, rest - rest.mean() + share, jnp.nan)
    error = jnp.where(known, error, jnp.nan)
    return found[:d], found[d:], error[d:]
