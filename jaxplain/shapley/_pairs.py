r"""Interactions of two players, as means over the coalitions of each size.

$$I_{ij} = \sum_s w_{s-2}\,\bar v(s;\, i, j \in S) - w_{s-1} \left(
\bar v(s;\, i \in S) + \bar v(s;\, j \in S)\right) + w_s\,\bar v(s;\, i, j \notin S)$$

with $w_0 + \dots + w_{d-2} = 1$: all equal for the Shapley interaction index.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .. import _regression, _tree
from . import _kernels
from ._gaussian import agreements, even_observations, signs, sizes
from ._posterior import Posterior, Prior, averaged
from ._sample import Sample
from ._semivalues import agreement_laws


def exact_pairs(sample: Sample) -> Float[Array, "d d"]:
    """The Shapley interaction indices of a game that was seen at every coalition."""
    d = sample.num_groups
    dtype = sample.values.dtype
    both, one, none = (jnp.asarray(w, dtype) for w in _per_coalition(d))
    above = sample.values

    def part(indices: Array, valid: Array) -> tuple:
        mask = jax.vmap(sample.draw)(indices)
        size, m = mask.sum(1), mask.astype(dtype)
        v = jnp.where(valid, above[indices], 0)
        product = v * (both - 2 * one + none)[size]
        single = _regression.dot(v * (one - none)[size], m)
        gram = _regression.dot((m * product[:, None]).T, m)
        rest = jnp.sum(v * none[size])
        return gram + single[:, None] + single[None] + rest, ()

    total = jnp.full((d, d), both[d] * sample.full)
    if len(above):
        total = total + _tree.loop(part, len(above), sample.chunk_size)[0]
    return off_diagonal(total)


def _per_coalition(d: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The weight of a coalition of each size that holds both players, one, or none."""
    weight = [1 / ((d - 1) * math.comb(d - 2, s)) for s in range(d - 1)]
    both, one, none = np.zeros((3, d + 1))
    both[2:], one[1:d], none[: d - 1] = weight, np.negative(weight), weight
    return both, one, none


def off_diagonal(a: Float[Array, "d d"]) -> Float[Array, "d d"]:
    return jnp.where(jnp.eye(len(a), dtype=bool), 0, a)


def posterior_pairs(sample: Sample) -> Posterior:
    """The indices as the posterior of a Gaussian process on the even part of the game.

    One entry for each pair `i < j`, in the order of `numpy.triu_indices`.
    """
    d = sample.num_groups
    x, y = signs(sample), even_observations(sample)
    tables = _kernels.bank(_kernels.even_table, d)
    rows = jax.tree.map(lambda a: jnp.asarray(a, y.dtype), (tables, *_covary(tables)))
    size, agree = sizes(x), agreements(x)
    i, j = np.triu_indices(d, 1)
    held = (x[:, i] > 0).astype(jnp.int32) + (x[:, j] > 0).astype(jnp.int32)

    def prior(row: tuple[Array, Array, Array]) -> Prior:
        table, cross, variance = row
        by_size = cross[:, size]  # [players of the pair in T, observation]
        of_pairs = jnp.take_along_axis(by_size.T, held, 1).T
        return Prior(table[agree], of_pairs, jnp.full(len(i), variance))

    ones = jnp.ones((len(x), 1), y.dtype)
    return averaged(prior, rows, ones, jnp.zeros((len(i), 1), y.dtype), y)


def _covary(tables: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The covariance of an index with the game at T, and the variance of an index.

    Shape `(k, 3, d + 1)` for `k` tables: where T holds none of the pair, one, or both,
    and for each size of T.
    """
    d = tables.shape[1] - 1
    weight = np.full(d - 1, 1 / (d - 1))
    cross = np.zeros((len(tables), 3, d + 1))
    for t in range(d - 1):  # players of T among the other d - 2
        law = agreement_laws(weight[None], d - 2, t)[0]
        # The mean over S, when S and T agree on none, one or both of the pair.
        agree = [tables[:, k : k + d - 1] @ law for k in range(3)]
        curved = agree[2] - 2 * agree[1] + agree[0]
        cross[:, 0, t] = cross[:, 2, t + 2] = curved
        cross[:, 1, t + 1] = -curved
    variance = (cross[:, 2, 2:] @ weight - 2 * cross[:, 1, 1:-1] @ weight) + cross[
        :, 0, :-2
    ] @ weight
    return cross, variance
