"""Shapley values of a linear game, corrected by what it leaves unexplained."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from .. import _regression, _tree
from .._regression import root
from ._exact import efficient
from ._least_squares import drawn_share, left_out, pair, rows, size_weights, solve
from ._sample import Estimate, Sample


def regression_adjusted(sample: Sample) -> Estimate:
    """Least squares on all pairs but one, and its residual there, for every pair.

    No pair corrects a regression that it took part in. One solution serves them all:
    leaving pair $i$ out changes it by a rank of one, and its residual by
    $1 / (1 - h_i)$.
    """
    d, half = sample.num_groups, len(sample.values) // 2
    weight_of_size = size_weights(sample)

    equations = _regression.normal_equations(rows(sample), half, sample.chunk_size)
    rest, inverse, determined = solve(*equations)
    number = pair_counts(sample)
    # The variance of a mean of n terms from their squares; one term says little.
    spread = jnp.asarray(number / np.maximum(number - 1, 0.5), rest.dtype)
    missing = (1 - drawn_share(sample)) * spread
    drawn = jnp.asarray(sample.counts, rest.dtype)

    def residuals(indices: Array, valid: Array) -> tuple:
        z, y, size = jax.vmap(lambda i: pair(sample, i))(indices)
        change = _regression.dot(z, inverse) * weight_of_size[size][:, None]
        leverage = jnp.sum(change * z, 1)
        left, alone = left_out(y - _regression.dot(z, rest), leverage, valid)
        left = left[:, None]
        term = gain_weights(sample, z, size) * left
        # Fits without a pair count as much as the pair does in the sum of gains.
        share = 2 / ((d - 1) * drawn[size])
        sums = (term - change * left * share[:, None]).sum(0)
        squares = (missing[size][:, None] * term**2).sum(0)
        unknown = (alone & (missing[size] > 0)).any()
        return (sums, squares, unknown), ()

    (correction, variance, unknown), _ = _tree.loop(residuals, half, sample.chunk_size)
    # Where nearly all pairs are drawn, the correction itself is the error.
    return Estimate(
        jnp.where(determined, efficient(rest + correction, sample), jnp.nan),
        jnp.where(
            determined,
            root(jnp.where(unknown, jnp.inf, variance + correction**2)),
            jnp.nan,
        ),
        sample.evaluations,
    )


def pair_counts(sample: Sample) -> np.ndarray:
    """How many pairs have a coalition of each size."""
    sizes = np.arange(sample.num_groups + 1)
    return np.where(2 * sizes == sample.num_groups, sample.counts / 2, sample.counts)


def gain_weights(sample: Sample, centred: Array, size: Array) -> Array:
    r"""The weights of half differences in the sum that estimates each value.

    A pair counts for $2 / (s\, n_s)$ to the players of its coalition of size $s$, and
    for $-2 / ((d - s)\, n_s)$ to the others, of the $n_s$ coalitions drawn.
    """
    d = sample.num_groups
    sizes = np.clip(np.arange(d + 1), 1, d - 1)
    drawn = np.maximum(sample.counts, 1)
    dtype = centred.dtype
    present = jnp.asarray(2 / (sizes * drawn), dtype)[size]
    absent = jnp.asarray(2 / ((d - sizes) * drawn), dtype)[size]
    return jnp.where(centred > 0, present[:, None], -absent[:, None])
