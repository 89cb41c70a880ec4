"""What an attribution speaks of: entries of `x`, of its leading axes, or groups."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, PyTree

from .. import _checks, _tree
from .._types import Labels, Scalar, ScalarFn, Ts, X
from ..games import game
from ._vectors import vector


class Features(NamedTuple):
    """The features of an input, as a vector, and the game between them.

    Attributes:
        scores: The attribution of each.
        value: From a mask of them, True where a feature is present, to `f` of what is
            left, in float32 or wider.
    """

    scores: Float[Array, " number"]
    value: Callable[[Array], Scalar]

    @property
    def number(self) -> int:
        return self.scores.shape[0]


def features(
    who: str,
    f: ScalarFn[X, *Ts],
    x: X,
    args: tuple[*Ts],
    attribution: PyTree,
    baseline: X | ArrayLike,
    groups: Labels | None,
    num_groups: int | None,
) -> Features:
    """The features that `attribution` tells apart."""
    _checks.players(who, groups, num_groups)
    x = _checks.inputs(x)
    if groups is None:
        v = game(f, x, *args, baseline=baseline)
        ranking = _checks.ranking(_checks.given(attribution), x)
        scores, spread = _scores(ranking), _spreader(ranking, x)
    else:
        number = cast(int, num_groups)
        labels = _checks.labels(groups, x)
        _checks.label_range(labels, number)
        v = game(f, x, *args, baseline=baseline, groups=labels)
        scores = _of_groups(_checks.given(attribution), x, labels, number)
        spread = lambda mask: mask

    def value(mask: Array) -> Scalar:
        out = v(spread(mask.astype(jnp.float32)))
        return out.astype(_tree.accumulator(out.dtype))

    return Features(scores, value)


def _scores(attribution: PyTree) -> Float[Array, " number"]:
    """As a vector; a mask ranks too."""
    is_mask = lambda leaf: jnp.result_type(leaf) == jnp.bool_
    as_number = lambda leaf: jnp.asarray(leaf, jnp.float32) if is_mask(leaf) else leaf
    return vector(jax.tree.map(as_number, attribution))


def _spreader(attribution: PyTree, x: PyTree) -> Callable[[Array], PyTree]:
    """From a mask over the entries of the attribution to one over those of `x`."""
    leaves, treedef = jax.tree.flatten(attribution)
    bounds = np.cumsum([math.prod(leaf.shape) for leaf in leaves])[:-1]

    def over(part: Array, entry: Array, leaf: Array) -> Array:
        trailing = (1,) * (leaf.ndim - entry.ndim)
        return jnp.broadcast_to(part.reshape(*entry.shape, *trailing), leaf.shape)

    def spread(mask: Array) -> PyTree:
        parts = map(over, jnp.split(mask, bounds), leaves, jax.tree.leaves(x))
        return treedef.unflatten(list(parts))

    return spread


def _of_groups(
    attribution: PyTree, x: PyTree, labels: PyTree, num_groups: int
) -> Float[Array, " num_groups"]:
    """The attribution of each group: as it is given, or summed over its features."""
    alone = jax.tree.structure(attribution) == jax.tree.structure(0)
    if alone and jnp.shape(attribution) == (num_groups,):
        return _scores(attribution)
    try:
        entries = _checks.ranking(attribution, x)
    except ValueError:
        raise ValueError(
            f"`attribution` must have one entry per group, shape ({num_groups},), or "
            f"the shape of `x`, {jax.tree.map(_checks.show, x)}, or of its leading "
            f"axes, but is {jax.tree.map(_checks.describe, attribution)}. Pass what an "
            "explainer made with `num_groups` returned, or one entry per feature."
        ) from None
    dtype = _tree.widest(entries)

    def total(label: Any, entry: Array) -> Array:
        if jnp.ndim(label) > entry.ndim:
            raise ValueError(
                "`attribution` must tell the features of a group from others, but is "
                f"{_checks.show(entry)} where `groups` is {_checks.show(label)}. Pass "
                "one entry per group, or per feature."
            )
        trailing = (1,) * (entry.ndim - jnp.ndim(label))
        label = jnp.asarray(label, jnp.int32).reshape(*jnp.shape(label), *trailing)
        label = jnp.broadcast_to(label, entry.shape).ravel()
        zeros = jnp.zeros(num_groups, dtype)
        return zeros.at[label].add(entry.ravel().astype(dtype), mode="drop")

    totals = jax.tree.leaves(_tree.map_prefix(total, labels, entries))
    return jnp.stack(totals).sum(0)
