"""Shapley values by regression on pairs of complements."""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from .. import _regression, _tree
from .._regression import root
from ._exact import efficient
from ._sample import Estimate, Sample


def least_squares(sample: Sample) -> Estimate:
    r"""The linear game nearest to the sample, with the right total.

    Sizes are weighted by the Shapley kernel over their probability of being drawn, and
    both coalitions of a pair become one row: their difference, which is all that the
    values depend on. The standard errors are those of HC3, for a finite population.
    """
    half = len(sample.values) // 2
    weight_of_size = size_weights(sample)

    equations = _regression.normal_equations(rows(sample), half, sample.chunk_size)
    rest, inverse, determined = solve(*equations)
    missing = 1 - drawn_share(sample)

    def spread(indices: Array, valid: Array) -> tuple:
        z, y, size = jax.vmap(lambda i: pair(sample, i))(indices)
        w = weight_of_size[size]
        influence = _regression.dot(z, inverse) * w[:, None]
        leverage = jnp.sum(influence * z, 1)
        left, alone = left_out(y - _regression.dot(z, rest), leverage, valid)
        unknown = (alone & (missing[size] > 0)).any()
        return (_regression.dot(missing[size] * left**2, influence**2), unknown), ()

    (variance, unknown), _ = _tree.loop(spread, half, sample.chunk_size)
    variance = jnp.where(unknown, jnp.inf, variance)
    return Estimate(
        jnp.where(determined, efficient(rest, sample), jnp.nan),
        jnp.where(determined, root(variance), jnp.nan),
        sample.evaluations,
    )


def rows(sample: Sample) -> _regression.Row:
    """The rows of the regression, one for each pair."""
    weight_of_size = size_weights(sample)

    def row(i: Array) -> tuple[Array, Array, Array]:
        z, y, size = pair(sample, i)
        return z, y, weight_of_size[size]

    return row


def solve(
    gram: Float[Array, "d d"], moment: Float[Array, " d"]
) -> tuple[Float[Array, " d"], Float[Array, "d d"], Bool[Array, " d"]]:
    """What is left to find, the inverse, and which unknowns are determined."""
    d = len(moment)
    identity = jnp.eye(d, dtype=gram.dtype)
    solved, lost = _regression.minimum_norm(gram, jnp.c_[moment, identity])
    # The constraint takes care of one direction, the vector of ones, and of no other.
    return solved[:, 0], solved[:, 1:], lost - 1 / d < 0.01 / d


def left_out(
    residual: Array, leverage: Array, valid: Array
) -> tuple[Float[Array, " n"], Bool[Array, " n"]]:
    """The residual of each row from a fit without it, and which rows have none.

    A row that alone determines a direction has no fit without it, and no residual.
    """
    limit = jnp.finfo(residual.dtype).eps ** 0.5
    alone = valid & (1 - leverage < limit)
    residual = residual / jnp.where(alone, 1, jnp.maximum(1 - leverage, limit))
    return jnp.where(valid & ~alone, residual, 0), alone


def pair(sample: Sample, i: Array) -> tuple[Array, Array, Array]:
    """Row `i`: the centred mask, half of the difference of a pair, and the size.

    The difference is of what an equal share for each player leaves to explain. What is
    left to find sums to zero: each row is projected on that subspace, which treats all
    players alike, where eliminating one of them would not.
    """
    mask = sample.draw(2 * i)
    size = mask.sum()
    centred = mask.astype(sample.values.dtype)
    centred = centred - centred.mean()
    y = (sample.values[2 * i] - sample.values[2 * i + 1]) / 2
    equal = size.astype(y.dtype) - sample.num_groups / 2
    return centred, y - sample.share * equal, size


def size_weights(sample: Sample) -> Array:
    """The Shapley kernel, over the number of coalitions drawn of each size."""
    d = sample.num_groups
    weights = np.zeros(d + 1)
    for size in np.flatnonzero(sample.counts):
        weights[size] = (d - 1) / (size * (d - size)) / sample.counts[size]
    return jnp.asarray(weights, sample.values.dtype)


def drawn_share(sample: Sample) -> Float[Array, " sizes"]:
    """The part of all coalitions of a size that was drawn, from 0 to 1."""
    d = sample.num_groups
    # Of whole numbers: there are too many coalitions for a float.
    share = [int(n) / math.comb(d, s) for s, n in enumerate(sample.counts)]
    return jnp.asarray(share, sample.values.dtype)
