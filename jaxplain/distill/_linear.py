"""A linear model of a function."""

from collections.abc import Callable
from typing import Any, Generic, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Bool, Int, PyTree

from .. import _checks, _regression, _tree
from .._types import Scalar, ScalarFn, Ts, X
from . import _table


class Linear(NamedTuple, Generic[X]):
    """A linear model, `model(x)`: the intercept plus the weighted entries of `x`.

    Attributes:
        weights: Slope of each entry, shaped like one example.
        intercept: Value where every entry is 0.
        standard_error: Standard error of each weight over the draw of the rows;
            infinite for one that the rows do not determine.
        r2: Share of the variance of `f` that the model explains on its rows.
        rows: Number of rows where all was finite: the others were left out.
    """

    weights: X
    intercept: Scalar
    standard_error: X
    r2: Scalar
    rows: Int[Array, ""]

    def __call__(self, x: X) -> Scalar:
        """The value of the model."""
        return affine(self.weights, self.intercept, x)


def linear(
    f: ScalarFn[X, *Ts], *, ridge: float = 0.0, chunk_size: int | None = None
) -> Callable[..., Linear[Any]]:
    r"""The linear model that is nearest to `f` on a stack of examples.

    $$\min_{a,\, b} \; \sum_i w_i \left(f(x_i) - a - b^\top x_i\right)^2
    + \lambda \sum_j (\sigma_j b_j)^2$$

    Exact where `f` is linear. The penalty acts on weights in units of the standard
    deviation $\sigma_j$ of their column, so that nothing depends on the units of the
    columns; the intercept is not penalised. Rows where `f` or the example is not
    finite are left out, and counted. Where rows do not determine the weights (a
    column that never changes, columns that only change together), they are the
    shortest of many that fit as well, and their standard errors are infinite.

    Args:
        f: Function to stand in for: `f(x, *args)` returns a scalar.
        ridge: Penalty $\lambda$; 0 is ordinary least squares.
        chunk_size: Number of rows evaluated at once; all of them by default.

    Returns:
        `fit(xs, *args, weights=None)`, which returns a `Linear`, itself a function of
        one example that `jax.jit` and explainers take. Every leaf of `xs` has the
        examples along its first axis; `weights` holds one number per example. Costs
        one evaluation of `f` per row, and one eigendecomposition of a matrix with a
        row per column.

    Raises:
        ValueError: If `ridge` is out of range, `f` does not return a scalar, `xs` is no
            stack, `weights` do not fit it, or there are too few rows to determine a
            model without a penalty.
        TypeError: If `xs` holds integers.

    Example:
        >>> xs = jax.random.normal(jax.random.key(0), (100, 2))
        >>> model = linear(lambda x: 3.0 + 2.0 * x[0] - x[1])(xs)
        >>> model.weights.round(3), model(jnp.array([1.0, 1.0])).round(3)
        (Array([ 2., -1.], dtype=float32), Array(4., dtype=float32))

    References:
        Molnar (2022), *Interpretable Machine Learning*, 2nd edition, section 8.6, for
        global surrogates.
        MacKinnon and White (1985) for the standard errors (HC3).
    """
    _checks.positive("ridge", ridge, zero=True)
    _checks.chunk_size(chunk_size)
    scalar = _checks.scalar(f)

    def fit(xs: X, /, *args: *Ts, weights: ArrayLike | None = None) -> Linear[Any]:
        examples, number = _table.stacked(xs)
        columns = _table.flat(examples, number).shape[1]
        enough("linear", number, columns, ridge)
        values = _table.evaluate(scalar, examples, args, number, chunk_size)
        dtype = _tree.widest((examples, values))
        unit, y = _regression.in_own_unit(values.astype(dtype))
        w = _table.row_weights(weights, number, dtype)
        t = _table.table(examples, jnp.isfinite(y), w)
        y = jnp.where(t.weights > 0, y, 0)
        return _solve(t, y, unit, ridge, chunk_size, examples)

    return fit


def _solve(
    t: _table.Table,
    y: Array,
    unit: Array,
    ridge: float,
    chunk_size: int | None,
    xs: PyTree,
) -> Linear[Any]:
    number, eps = len(y), jnp.finfo(y.dtype).eps
    total = t.weights.sum()
    y_mean = _regression.dot(t.weights, y) / total

    def row(i: Array) -> tuple[Array, Array, Array]:
        return t.z[i], y[i] - y_mean, t.weights[i]

    equations = _regression.normal_equations(row, number, chunk_size)
    found = _regression.spectral(*equations, ridge)
    errors = _regression.errors(
        row, found.phi, found.inverse, total, number, chunk_size
    )
    known = determined(t, found.lost, ridge)
    varies = errors.variance > total * (8 * eps * y_mean) ** 2
    explained = 1 - errors.unexplained / jnp.where(varies, errors.variance, 1)
    slopes = found.phi / t.scale
    spread = jnp.where(known, _regression.root(errors.squared) / t.scale, jnp.inf)
    return Linear(
        _table.like(unit * slopes, xs),
        unit * (y_mean - _regression.dot(t.mean, slopes)),
        _table.like(unit * spread, xs),
        jnp.where(varies, explained, jnp.where(total > 0, 1.0, jnp.nan)),
        t.used,
    )


def affine(weights: PyTree, intercept: Scalar, x: PyTree) -> Scalar:
    """The intercept plus the weighted entries, summed in float32 or wider."""
    wide = lambda leaf: jnp.asarray(leaf).astype(intercept.dtype)
    terms = jax.tree.map(lambda w, leaf: wide(w) * wide(leaf), weights, x)
    return intercept + _tree.total(terms).astype(intercept.dtype)


def determined(t: _table.Table, lost: Array, ridge: float) -> Bool[Array, " d"]:
    """Do the rows fix the weight of a column, and leave something to err by?"""
    if ridge > 0:
        return t.varies
    return t.varies & (lost < 0.01 / len(lost)) & (t.used > t.varies.sum() + 1)


def enough(who: str, number: int, columns: int, ridge: float) -> None:
    """A penalty determines every weight; without one the rows must."""
    if ridge == 0 and number < columns + 2:
        raise ValueError(
            f"`xs` must hold at least {columns + 2} examples for {who} on {columns} "
            f"columns without a penalty, but holds {number}. Pass more, or a penalty "
            "such as `ridge=1.0`."
        )
