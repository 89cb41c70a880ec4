"""Values of a game as the posterior of a Gaussian process on its parts."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from .. import _regression
from .._regression import root
from . import _kernels
from ._exact import efficient
from ._posterior import Posterior, Prior, averaged
from ._sample import Estimate, Sample
from ._semivalues import Semivalue, constant_of, covariances, gains_of_linear, shapley


def gaussian_process(sample: Sample) -> Estimate[Array]:
    r"""The posterior of the Shapley values, which see the odd part alone.

    The odd part of the game is a linear function plus a Gaussian process:
    $(v(S) - v(S^c)) / 2 = \beta^\top x + g(x)$. Main effects have a flat prior, so the
    estimate is exact for games of pairwise interactions.
    """
    found = odd_part(sample, shapley(sample.num_groups))
    return of_posterior(found, sample)


def of_posterior(found: Posterior, sample: Sample) -> Estimate[Array]:
    return Estimate(
        jnp.where(found.known, efficient(found.mean, sample), jnp.nan),
        jnp.where(found.known, root(found.variance), jnp.nan),
        sample.evaluations,
    )


def odd_part(sample: Sample, value: Semivalue) -> Posterior:
    """What the differences of pairs tell about a value."""
    x, y = signs(sample), odd_observations(sample)
    d = sample.num_groups
    own, other = gains_of_linear(value)
    to_values = jnp.asarray(own * np.eye(d) + other * (1 - np.eye(d)), y.dtype)
    return _posterior(x, y, _kernels.odd_table, value, x, to_values)


def even_part(sample: Sample, value: Semivalue) -> Posterior:
    """What the sums of pairs tell about a value; nothing of one that is odd."""
    x, y = signs(sample), even_observations(sample)
    constant = jnp.full((sample.num_groups, 1), constant_of(value), y.dtype)
    ones = jnp.ones((len(x), 1), y.dtype)
    return _posterior(x, y, _kernels.even_table, value, ones, constant)


def _posterior(
    x: Float[Array, "n d"],
    y: Float[Array, " n"],
    table_of: _kernels.TableOf,
    value: Semivalue,
    features: Float[Array, "n p"],
    to_values: Float[Array, "d p"],
) -> Posterior:
    d = x.shape[1]
    tables = _kernels.bank(table_of, d)
    rows = (tables, *covariances(value, tables))
    size, agree = sizes(x), agreements(x)

    def prior(row: tuple[Array, Array, Array, Array]) -> Prior:
        table, inside, outside, variance = row
        cross = jnp.where(x > 0, inside[size][:, None], outside[size][:, None]).T
        return Prior(table[agree], cross, jnp.full(d, variance))

    rows = jax.tree.map(lambda leaf: jnp.asarray(leaf, y.dtype), rows)
    return averaged(prior, rows, features, to_values, y)


def signs(sample: Sample) -> Float[Array, "n d"]:
    """The full coalition, and one of each pair: 1 for a player in it, -1 for others."""
    half = len(sample.values) // 2
    masks = jax.vmap(sample.draw)(2 * jnp.arange(half))
    everyone = jnp.ones((1, sample.num_groups), bool)
    x = jnp.where(jnp.concatenate([everyone, masks]), 1, -1)
    return x.astype(sample.values.dtype)


def odd_observations(sample: Sample) -> Float[Array, " n"]:
    return _halves(sample, -1)


def even_observations(sample: Sample) -> Float[Array, " n"]:
    return _halves(sample, 1)


def _halves(sample: Sample, sign: int) -> Float[Array, " n"]:
    """Half of the sum, or of the difference, of each pair, the ends first."""
    half = len(sample.values) // 2
    first, second = sample.values[: 2 * half].reshape(half, 2).T
    pairs = first + sign * second
    return jnp.append(sample.full, pairs) / 2  # the empty coalition is worth 0


def sizes(x: Float[Array, "n d"]) -> Int[Array, " n"]:
    return (x > 0).sum(1).astype(jnp.int32)


def agreements(x: Float[Array, "n d"]) -> Int[Array, "n n"]:
    """On how many players two coalitions agree."""
    return ((_regression.dot(x, x.T) + x.shape[1]) / 2).astype(jnp.int32)
