"""What `f` would say of each row if one feature had another value."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float, Int, PyTree

from .. import _checks, _regression, _tree
from .._types import REQUIRED, ScalarFn
from ._grids import grid_of
from ._rows import feature_of, get, known, put, row, table_of
from ._types import Effect, OverGrid


def ice(
    f: ScalarFn[Any, *tuple[Any, ...]],
    *,
    centred: bool = False,
    chunk_size: int | None = None,
) -> OverGrid[Float[Array, "n ..."]]:
    r"""Individual conditional expectation: a curve for every row of a data set.

    $$c_i(z) = f(x_{i, \sim j},\, z)$$

    One line per row where partial dependence has their mean: parallel lines are an
    additive effect, crossing ones an interaction. Exactly flat where `f` does not
    depend on the feature. A value that is not finite stays where it is.

    Args:
        f: Function to explain: `f(row, *args)` returns a scalar.
        centred: Subtract from each row its value at the first point of the grid.
        chunk_size: Number of evaluations of `f` at once; all of them by default.
            Peak memory follows it, but for the answer.

    Returns:
        `curves(rows, *args, feature, grid)`, in the units of `f`: shape
        `(n, *shape of the grid)`. `rows` is an array of shape `(n, columns)`, or a
        dict of arrays, rows first; `args` are shared by all rows. `feature` is a column
        or a name. A list of them is one feature, and then the last axis of the grid
        holds a value for each: `jax.numpy.eye(3)` goes through the categories of three
        columns, and `mesh` through two features at once. Costs `n` times the size of
        the grid evaluations of `f`.

    Raises:
        ValueError: If `f` does not return a scalar, `rows` is empty, has leaves of
            several lengths or no such feature, a feature has a column twice, or the
            grid does not fit it or its dtype. A column twice makes every value NaN
            where its number is traced.
        TypeError: If `feature` or `grid` is missing, `rows` or the grid does not hold
            numbers, or the grid is floating-point and the feature is not.

    Example:
        >>> rows = jnp.array([[0.0, 1.0], [2.0, 3.0]])
        >>> curves = jax.jit(ice(lambda row: row[0] * row[1]))
        >>> curves(rows, feature=0, grid=jnp.array([0.0, 1.0, 2.0]))
        Array([[0., 1., 2.],
               [0., 3., 6.]], dtype=float32)

    References:
        Goldstein, Kapelner, Bleich and Pitkin (2015), *Peeking Inside the Black Box*,
        arXiv:1309.6392, section 3.
    """
    _checks.chunk_size(chunk_size)
    f = _checks.scalar(f)

    def curves(
        rows: PyTree,
        /,
        *args: Any,
        feature: Any = REQUIRED,
        grid: ArrayLike = REQUIRED,
    ) -> Float[Array, "n ..."]:
        rows, n = table_of(rows)
        feature = feature_of(feature, rows)
        points, shape = grid_of("grid", grid, get(rows, feature))
        number = len(points)

        def one(i: Int[Array, ""]) -> Array:
            changed = put(row(rows, i // number), feature, points[i % number])
            return f(changed, *args)

        values = _tree.map_samples(one, n * number, chunk_size).reshape(n, number)
        values = jnp.where(known([feature], rows), values, jnp.nan)
        if centred:
            values = values - values[:, :1]
        return values.reshape(n, *shape)

    return curves


def partial_dependence(
    f: ScalarFn[Any, *tuple[Any, ...]],
    *,
    centred: bool = False,
    chunk_size: int | None = None,
) -> OverGrid[Effect]:
    r"""Partial dependence: the mean of `f` over a data set, were one feature fixed.

    $$\bar f(z) = \frac{1}{n} \sum_{i=1}^{n} f(x_{i, \sim j},\, z)$$

    For additive `f` this is the term of the feature, but for a constant. All rows get
    all values: where features depend on each other, `f` is asked about rows that cannot
    be, and `ale` is the alternative. The standard errors are those of a mean over `n`
    rows. All points of the grid share the rows, so the shape of the curve is more
    certain than its height: with `centred` the errors are those of the difference to
    the first point.

    Args:
        f: Function to explain: `f(row, *args)` returns a scalar.
        centred: Subtract from each row its value at the first point of the grid.
        chunk_size: Number of evaluations of `f` at once; all of them by default.
            Peak memory follows it, but for one number per evaluation.

    Returns:
        `dependence(rows, *args, feature, grid)`, the `Effect`: shaped like the grid,
        in the units of `f`. Arguments and cost are those of `ice`.

    Raises:
        ValueError: As `ice`.
        TypeError: As `ice`.

    Example:
        >>> rows = jnp.array([[0.0, 1.0], [2.0, 3.0]])
        >>> dependence = jax.jit(partial_dependence(lambda row: row[0] * row[1]))
        >>> dependence(rows, feature=0, grid=jnp.array([0.0, 1.0, 2.0])).mean
        Array([0., 2., 4.], dtype=float32)

    References:
        Friedman (2001), *Greedy Function Approximation: A Gradient Boosting Machine*,
        section 8.2.
    """
    curves = ice(f, centred=centred, chunk_size=chunk_size)

    def dependence(
        rows: PyTree,
        /,
        *args: Any,
        feature: Any = REQUIRED,
        grid: ArrayLike = REQUIRED,
    ) -> Effect:
        values = curves(rows, *args, feature=feature, grid=grid)
        return Effect(*mean_and_error(values))

    return dependence


def mean_and_error(values: Float[Array, "n ..."]) -> tuple[Array, Array]:
    """The mean over the first axis and its standard error; NaN of a single value."""
    n, dtype = len(values), _tree.accumulator(values.dtype)
    # A unit for every entry: they may differ in size by more than squares can hold.
    own = jax.vmap(_regression.in_own_unit, 1, (0, 1))
    unit, wide = own(values.astype(dtype).reshape(n, -1))
    # From the first row on: a common offset would cost digits.
    offset = jax.lax.stop_gradient(jnp.where(jnp.isfinite(wide[:1]), wide[:1], 0))
    moved = wide - offset
    mean = offset[0] + moved.mean(0)
    error = jnp.full_like(mean, jnp.nan)
    if n > 1:
        error = _regression.root(moved.var(0, ddof=1) / n)
    inside = lambda part: (unit * part).astype(values.dtype).reshape(values.shape[1:])
    return inside(mean), inside(error)
