"""How much of what two features do together is not the sum of what each does alone."""

from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PyTree

from .. import _checks, _regression, _tree
from .._types import ScalarFn
from ._rows import Feature, feature_of, known, masks, row, table_of, twice
from ._types import HStatistic, OverFeatures


def h_statistic(
    f: ScalarFn[Any, *tuple[Any, ...]], *, chunk_size: int | None = None
) -> OverFeatures[HStatistic]:
    r"""Friedman's H: the share of a joint effect that is interaction.

    $$H_{jk}^2 = \frac{\sum_i \left[F_{jk}(x_{ij}, x_{ik}) - F_j(x_{ij}) -
    F_k(x_{ik})\right]^2}{\sum_i F_{jk}^2(x_{ij}, x_{ik})}, \qquad
    H_j^2 = \frac{\sum_i \left[f(x_i) - F_j(x_{ij}) - F_{\sim j}(x_{i, \sim j})
    \right]^2}{\sum_i f^2(x_i)}$$

    $F_S$ is the partial dependence on the features $S$ over the rows, and all functions
    are centred to mean 0 over the rows. 0 up to rounding where the effects add up, so
    everywhere for additive `f`; 0 too where the joint effect is constant up to
    rounding. H is a share: of two features that hardly matter it can be large. The
    sizes beside it, in the units of `f`, tell. Where features depend on each other,
    partial dependence asks about rows that cannot be, and so does H. A value of `f`
    that is not finite spoils what it enters.

    Args:
        f: Function to explain: `f(row, *args)` returns a scalar.
        chunk_size: Number of evaluations of `f` at once; all of them by default.
            Peak memory follows it, but for a mask of a row for every set of features,
            and some `4 * n * (2 * p + p * (p - 1) / 2)` floats.

    Returns:
        `interact(rows, *args, features=None)`, the `HStatistic` of `p` features.
        `rows` is an array of shape `(n, columns)`, or a dict of arrays, rows first.
        `features` is a list of columns or names, all of them by default; a list within
        the list is one feature. Costs `n ** 2 * (2 * p + p * (p - 1) / 2)` evaluations
        of `f`: a few hundred rows are plenty.

    Raises:
        ValueError: If `f` does not return a scalar, `rows` is empty, has leaves of
            several lengths or lacks a feature, there are fewer than two features, or
            they overlap. Where columns are traced, an overlap makes every value NaN.
        TypeError: If `features` is no list of columns or names, or `rows` does not
            hold numbers.

    Example:
        >>> rows = jax.random.normal(jax.random.key(0), (50, 3))
        >>> interact = jax.jit(h_statistic(lambda row: row[0] * row[1] + 2.0 * row[2]))
        >>> out = interact(rows)
        >>> out.pairs.round(1)
        Array([[0. , 0.9, 0. ],
               [0.9, 0. , 0. ],
               [0. , 0. , 0. ]], dtype=float32)
        >>> out.overall.round(1)
        Array([0.3, 0.3, 0. ], dtype=float32)

    References:
        Friedman and Popescu (2008), *Predictive Learning via Rule Ensembles*,
        arXiv:0811.1679, section 8.1.
    """
    _checks.chunk_size(chunk_size)
    f = _checks.scalar(f)

    def interact(rows: PyTree, /, *args: Any, features: Any = None) -> HStatistic:
        rows, n = table_of(rows)
        chosen = _disjoint([feature_of(j, rows) for j in _listed(features, rows)], rows)
        p = len(chosen)
        first, second = np.triu_indices(p, 1)
        num_sets = 2 * p + len(first)

        def all_sets(one: Bool[Array, "p ..."]) -> Bool[Array, "sets ..."]:
            """Each feature, all but each, and each pair."""
            return jnp.concatenate([one, ~one, one[first] | one[second]])

        sets = jax.tree.map(all_sets, masks(rows, chosen))

        def dependence(i: Int[Array, ""]) -> Array:
            """Of one set of features, at the values of one row."""
            present, own = row(sets, i // n), row(rows, i % n)

            def value(k: Int[Array, ""]) -> Array:
                mixed = jax.tree.map(jnp.where, present, own, row(rows, k))
                out = f(mixed, *args)
                return out.astype(_tree.accumulator(out.dtype))

            return _tree.mean_samples(value, n, chunk_size)

        at_once = None if chunk_size is None else max(1, chunk_size // n)
        means = _tree.map_samples(dependence, num_sets * n, at_once)
        whole = _tree.map_samples(lambda i: f(row(rows, i), *args), n, chunk_size)
        values = jnp.concatenate(
            [means.reshape(-1, n), whole[None].astype(means.dtype)]
        )
        values = jnp.where(known(chosen, rows), values, jnp.nan)
        return _strengths(values, p, whole.dtype)

    return interact


def _strengths(values: Float[Array, "sets n"], p: int, dtype: Any) -> HStatistic:
    """From the values of the features, of what is left, of the pairs, and of `f`."""
    unit, values = _regression.in_own_unit(values)
    flat = jax.vmap(_regression.constant)(values)
    centred = values - values.mean(1, keepdims=True)
    centred = jnp.where(flat[:, None], 0, centred)
    alone, rest, together, whole = jnp.split(centred, [p, 2 * p, len(values) - 1])
    first, second = np.triu_indices(p, 1)
    size = lambda a: _regression.root((a**2).mean(1))

    def strength(joint: Array, parts: Array) -> tuple[Array, Array]:
        all_of, left = size(joint), size(joint - parts)
        share = left / jnp.where(all_of > 0, all_of, 1)
        return share.astype(dtype), (unit * left).astype(dtype)

    joint = jnp.broadcast_to(whole, alone.shape)
    overall, overall_size = strength(joint, alone + rest)
    of_pairs = strength(together, alone[first] + alone[second])
    square = lambda v: jnp.zeros((p, p), dtype).at[first, second].set(v)
    h, h_size = (square(v) + square(v).T for v in of_pairs)
    return HStatistic(h, overall, h_size, overall_size)


def _listed(features: Any, rows: PyTree) -> list[Any]:
    """The features, one by one."""
    if features is None:
        features = list(rows) if isinstance(rows, dict) else range(rows.shape[1])
    if _checks.is_traced(features):
        raise TypeError(
            "`features` must be concrete, but is traced: their number shapes the "
            "program. Bind them before `jax.jit`."
        )
    if hasattr(features, "ndim"):
        features = np.asarray(features).tolist()
    if isinstance(features, str) or not isinstance(features, Iterable):
        raise TypeError(
            f"`features` must be a list of columns or names, but is {features!r}. Name "
            "at least two, or leave `features` out for all."
        )
    chosen = list(features)
    if len(chosen) < 2:
        raise ValueError(
            f"`features` must be at least two, but is {features!r}. A feature "
            "interacts with others: name them, or leave `features` out for all."
        )
    return chosen


def _disjoint(features: list[Feature], rows: PyTree) -> list[Feature]:
    part = twice(features, rows)
    if part is not None:
        raise ValueError(
            f"`features` must not overlap, but {part} is in two of them. Name each "
            "column once."
        )
    return features
