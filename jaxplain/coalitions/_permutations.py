"""Coalitions that grow by one feature at a time, in random orders."""

from collections.abc import Sequence

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Bool, Int

from .. import _checks
from .._types import Draw, PRNGKey
from ._subsets import random_order


def permutations(
    key: PRNGKey, num_groups: int, *, unions: Sequence[np.ndarray] = ()
) -> Draw:
    """The coalitions on the way from none to all, in random orders of the features.

    Orders come in antithetic pairs: the second is the reverse of the first. One order
    of $d$ features has $d - 1$ coalitions between the empty and the full one, so
    sample `i` is coalition `i % (d - 1)` of order `i // (d - 1)`.

    Args:
        key: Random key.
        num_groups: Number of features $d$, at least 2.
        unions: Levels of labels from coarse to fine, each with one integer per feature,
            from 0: features with the same label come one after the other.

    Returns:
        The design: an index to a mask of shape `(num_groups,)`.

    Example:
        >>> jax.vmap(permutations(jax.random.key(0), 3))(jnp.arange(4)).astype(int)
        Array([[0, 0, 1],
               [1, 0, 1],
               [0, 1, 0],
               [1, 1, 0]], dtype=int32)

    References:
        Castro, Gomez and Tejada (2009), *Polynomial Calculation of the Shapley Value
        Based on Sampling*, algorithm 1.
        Mitchell, Cooper, Frank and Holmes (2022), *Sampling Permutations for Shapley
        Value Estimation*, arXiv:2104.12199, section 2.3, on antithetic pairs.
    """
    _checks.count("num_groups", num_groups, 2)
    levels = _checks.union_levels(unions) if len(unions) else []
    for labels in levels:
        _checks.one_union_each(labels, num_groups)

    def draw(i: Int[Array, ""]) -> Bool[Array, " num_groups"]:
        walk, step = jnp.divmod(jnp.asarray(i), num_groups - 1)
        rank = _order(jr.fold_in(key, walk // 2), num_groups, levels)
        rank = jnp.where(walk % 2 == 1, num_groups - 1 - rank, rank)
        return rank <= step

    return draw


def _order(
    key: PRNGKey, num_groups: int, unions: Sequence[np.ndarray]
) -> Int[Array, " num_groups"]:
    """The place of each feature in a random order that keeps unions together."""
    place = random_order(key, num_groups)
    if not unions:
        return place
    levels = [
        random_order(jr.fold_in(key, level), int(labels.max()) + 1)[labels]
        for level, labels in enumerate(unions)
    ]
    # Sorted by the union first, then by the next finer one, and by the feature last.
    return jnp.argsort(jnp.lexsort((place, *levels[::-1])))
