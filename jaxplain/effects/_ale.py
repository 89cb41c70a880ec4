"""How `f` changes where a feature moves a little, added up."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, Int, PyTree

from .. import _checks, _regression, _tree
from .._types import REQUIRED, ScalarFn
from ._grids import cast, grid_of
from ._rows import feature_of, get, known, put, readable, row, table_of
from ._types import LocalEffects, OverBins


def ale(
    f: ScalarFn[Any, *tuple[Any, ...]], *, chunk_size: int | None = None
) -> OverBins[LocalEffects]:
    r"""Accumulated local effects: the changes of `f` within bins of a feature, summed.

    $$\hat g(z_k) = \sum_{l=1}^{k} \frac{1}{n_l} \sum_{i:\, x_{ij} \in (z_{l-1}, z_l]}
    \left[f(x_{i, \sim j},\, z_l) - f(x_{i, \sim j},\, z_{l-1})\right] - c$$

    A row only moves to the ends of its own bin. So `f` is asked about rows like those
    of the data even where features depend on each other, which is what
    `partial_dependence` gets wrong, and the effect of a feature that comes along is not
    counted. $c$ makes the mean over the rows 0, with straight lines between edges: for
    linear `f` the values are the slope times the distance to the mean, whatever the
    bins. A feature without effect gets exactly 0.

    Bins need an order. Code categories by their rank in an order that makes sense, such
    as that of a mean, and let `f` take the code apart: the edges are the codes.

    Args:
        f: Function to explain: `f(row, *args)` returns a scalar.
        chunk_size: Number of rows at once, each at two values; all of them by default.
            Peak memory follows it.

    Returns:
        `local(rows, *args, feature, edges)`, the `LocalEffects`, in the units of `f`.
        `rows` is an array of shape `(n, columns)`, or a dict of arrays, rows first.
        `feature` is a column or a name. `edges` ascend; `quantile_grid` makes them.
        The first edge belongs to the first bin. Rows outside the edges are left out:
        the counts show how many. Costs `2 * n` evaluations of `f`.

    Raises:
        ValueError: If `f` does not return a scalar, `rows` is empty, has leaves of
            several lengths or no such feature, `edges` are no vector of two or more
            finite numbers in ascending order, or a bin is empty. Where rows or edges
            are traced, an empty bin makes every value NaN.
        TypeError: If `feature` or `edges` is missing, `feature` is several columns, or
            `rows` does not hold numbers.

    Example:
        >>> rows = jnp.array([[0.5, 1.0], [1.0, 3.0], [1.5, 5.0], [2.0, 7.0]])
        >>> local = jax.jit(ale(lambda row: row[0] * row[1]))
        >>> out = local(rows, feature=0, edges=jnp.array([0.0, 1.0, 2.0]))
        >>> out.values, out.counts
        (Array([-4., -2.,  4.], dtype=float32), Array([2, 2], dtype=int32))

    References:
        Apley and Zhu (2020), *Visualizing the Effects of Predictor Variables in Black
        Box Supervised Learning Models*, arXiv:1612.08468, equations 15 and 16; there
        the constant takes the mean of a step function.
    """
    _checks.chunk_size(chunk_size)
    f = _checks.scalar(f)

    def local(
        rows: PyTree,
        /,
        *args: Any,
        feature: Any = REQUIRED,
        edges: ArrayLike = REQUIRED,
    ) -> LocalEffects:
        rows, n = table_of(rows)
        feature = feature_of(feature, rows)
        values = _one_number(get(rows, feature))
        ends, shape = grid_of("edges", edges, values)
        _ascending(edges, shape, ends.dtype)
        bins = _bins(values, ends)
        _no_empty_bin(bins, ends)

        def change(i: Int[Array, ""]) -> Array:
            at = lambda edge: f(put(row(rows, i), feature, ends[edge]), *args)
            lower = jnp.clip(bins[i], 0, len(ends) - 2)
            return _difference(at(lower + 1), at(lower))

        changes = _tree.map_samples(change, n, chunk_size)
        changes = jnp.where(known([feature], rows), changes, jnp.nan)
        return _accumulated(changes, _place(values, ends, bins), bins, len(ends) - 1)

    return local


def _difference(end: Array, start: Array) -> Array:
    dtype = _tree.accumulator(end.dtype)
    return (end.astype(dtype) - start.astype(dtype)).astype(end.dtype)


def _bins(values: Array, edges: Array) -> Int[Array, " n"]:
    """The bin of each row, or -1: edges end a bin, and the first also begins one."""
    bins = jnp.searchsorted(edges, values, side="left") - 1
    bins = jnp.where(values == edges[0], 0, bins)
    return jnp.where(bins < len(edges) - 1, bins, -1).astype(jnp.int32)


def _place(values: Array, edges: Array, bins: Array) -> Float[Array, " n"]:
    """How far into its bin a row lies, from 0 to 1."""
    dtype = _tree.accumulator(values.dtype)
    values, edges = values.astype(dtype), edges.astype(dtype)
    lower = edges[jnp.maximum(bins, 0)]
    width = edges[jnp.maximum(bins, 0) + 1] - lower
    return (values - lower) / jnp.where(width > 0, width, 1)


def _accumulated(
    changes: Float[Array, " n"], place: Array, bins: Int[Array, " n"], number: int
) -> LocalEffects:
    """The mean change of each bin, added up and centred, with its standard error."""
    dtype = _tree.accumulator(changes.dtype)
    inside = bins >= 0
    # A row outside has no bin, and must not count even if it is not finite.
    part = lambda a: jax.ops.segment_sum(jnp.where(inside, a, 0), bins, number)
    counts = part(jnp.ones_like(bins))
    size = counts.astype(dtype)
    wide = changes.astype(dtype)
    slopes = part(wide) / size
    residual = jnp.where(inside, wide - slopes[bins], 0)
    unit, residual = _regression.in_own_unit(residual)
    variance = part(residual**2) / (size - 1) / size
    variance = jnp.where(counts > 1, variance, jnp.nan)
    # A bin lifts every row of the bins after it, and a row of its own in part.
    share = size / size.sum()
    after = 1 - jnp.cumsum(share)
    lifted = after + part(place.astype(dtype)) / size.sum()
    weights = jnp.tri(number + 1, number, -1, dtype) - lifted[None]
    error = unit * _regression.root(_regression.dot(weights**2, variance))
    return LocalEffects(
        _regression.dot(weights, slopes).astype(changes.dtype),
        error.astype(changes.dtype),
        slopes.astype(changes.dtype),
        counts,
    )


def _one_number(values: Array) -> Array:
    if values.ndim != 1:
        raise TypeError(
            "`feature` must be one number per row, but is "
            f"{_checks.show(values)}: bins need an order. Code categories by rank in "
            "one column, and take the code apart in `f`."
        )
    return values


def _ascending(edges: Any, shape: tuple[int, ...], kind: Any) -> None:
    if len(shape) != 1:
        raise ValueError(
            f"`edges` must be a vector, but has shape {shape}. Pass those of one "
            "feature; map over several with `jax.vmap`."
        )
    if shape[0] < 2:
        raise ValueError(
            "`edges` must be two or more numbers, but there is 1. A feature with one "
            "value has no local effect."
        )
    if not readable(edges):
        return
    edges = np.asarray(edges)
    ends = cast(edges, kind)
    bad = int((~np.isfinite(ends.astype(np.float64))).sum())
    if bad:
        raise ValueError(
            f"`edges` must be finite, but {bad} of {len(ends)} are not in {kind}. "
            "Begin with the least value of the column, and end with the largest."
        )
    if not np.all(edges[1:] > edges[:-1]):
        raise ValueError(
            "`edges` must ascend, but do not. Sort them and leave out what is there "
            "twice, as `jaxplain.effects.quantile_grid` does."
        )
    same = ends[1:] == ends[:-1]
    if same.any():
        k = int(np.argmax(same))
        raise ValueError(
            f"`edges` must be distinct in {kind}, the dtype of the rows, but "
            f"{edges[k]} and {edges[k + 1]} are one number there. Subtract an offset "
            "from the column, or enable 64 bits."
        )


def _no_empty_bin(bins: Array, edges: Array) -> None:
    if _checks.is_traced(bins):
        return
    counts = np.bincount(np.asarray(bins) + 1, minlength=len(edges))[1:]
    if (counts == 0).any():
        k = int(np.argmin(counts > 0))
        raise ValueError(
            f"`edges` must leave no bin empty, but no row lies between {edges[k]:g} "
            f"and {edges[k + 1]:g}. Join it to its neighbour, or take the edges of "
            "`jaxplain.effects.quantile_grid`."
        )
