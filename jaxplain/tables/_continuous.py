"""LIME for tables without bins: slopes, per standard deviation."""

from typing import Literal, TypeAlias, get_args

import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array

from .. import _checks
from .._types import REQUIRED, PRNGKey, ScalarFn, Ts
from ..surrogates import Surrogate
from ..surrogates._types import Selection
from . import _draw, _fit, _inputs
from ._bins import Bins, at, moments, place_of

Around: TypeAlias = Literal["mean", "input"]


def continuous_lime(
    f: ScalarFn[Array, *Ts],
    *,
    num_samples: int = 5000,
    around: Around = "mean",
    width: float | None = None,
    ridge: float = 1.0,
    num_features: int | None = None,
    selection: Selection = "highest_weights",
    chunk_size: int | None = None,
) -> _fit.Explained[*Ts]:
    r"""How much `f` rises around a row, per standard deviation of each column.

    Neighbours are normal, one column at a time, with the standard deviation $\sigma_j$
    of the training data, around their mean $\mu_j$ or around the row. With the features
    $z_j = (x_j - \mu_j) / \sigma_j$,

    $$\min_{\beta, \beta_0} \sum_{i=1}^{n} \pi(x_i)
    \left(f(x_i) - \beta_0 - z_i^\top \beta\right)^2 + \lambda \lVert \beta \rVert^2,
    \qquad \pi(x_i) = \exp\left(-\frac{\lVert z_i - z \rVert^2}{2 \omega^2}\right)$$

    The first sample is the row itself. A category is drawn by its frequency, and its
    feature is 1 where it is that of the row, and 0 elsewhere, as in `lime`. The
    defaults are those of the `lime` package with `discretize_continuous=False`.

    Around the mean, a batch of rows with one key shares the neighbours and their
    evaluations, as in `lime`. The weight of a column that never changes is NaN, and so
    is that of a value that is NaN. All weights are NaN where the row is so far out that
    no neighbour has weight: then use `around="input"`.

    Args:
        f: Function to explain: `f(row, *args)` returns a scalar.
        num_samples: Number of evaluations of `f`.
        around: `"mean"` draws around the mean of the training data, and leaves it to
            the kernel to look at the row. `"input"` draws around the row.
        width: Kernel width $\omega$, in standard deviations; by default
            $0.75 \sqrt{d}$ for $d$ columns.
        ridge: Penalty $\lambda$ on the weights; 0 is least squares.
        num_features: Number of columns to keep, at most; all by default.
        selection: How to choose them, see `surrogate`.
        chunk_size: Number of neighbours evaluated at once; all of them by default.
            The memory of `f` follows it; what is kept of the neighbours follows
            `num_samples` times the columns.

    Returns:
        `fit(row, *args, bins, key)`, which returns a `Surrogate` with one weight per
        column, in the units of `f`. Divided by the standard deviations of `moments`,
        they are slopes. The intercept is the value at the mean of the training data,
        with every category another one.

    Raises:
        ValueError: As `lime`.
        TypeError: As `lime`.

    Example:
        >>> table = jax.random.normal(jax.random.key(0), (200, 2)) * 10
        >>> bins = jx.tables.quantiles(table)
        >>> fit = continuous_lime(lambda row: row[0] - 2 * row[1], ridge=0.0)
        >>> found = fit(jnp.ones(2), bins=bins, key=jax.random.key(1))
        >>> (found.weights / jx.tables.moments(bins)[1]).round(2)
        Array([ 1., -2.], dtype=float32)

    References:
        Ribeiro, Singh and Guestrin (2016), *"Why Should I Trust You?"*,
        arXiv:1602.04938, equation 1, and its `lime` package.
    """
    _checks.choice("around", around, get_args(Around))
    options = _fit.Options(
        num_samples, width, ridge, num_features, selection, chunk_size
    )
    _fit.check(options)

    def explain(
        row: Array, /, *args: *Ts, bins: Bins = REQUIRED, key: PRNGKey = REQUIRED
    ) -> Surrogate[Array]:
        row = _inputs.row_of(bins, row)
        _checks.key(key, "continuous_lime")
        wide = _inputs.wide(row)
        own, known = place_of(bins, wide)
        _inputs.seen(bins, row, known)
        mean, std = (moment.astype(wide.dtype) for moment in moments(bins))
        categorical = jnp.asarray(bins.categorical)
        share = jnp.asarray(bins.frequency, wide.dtype)
        centre = mean if around == "mean" else jnp.where(known, wide, mean)

        def draw(i: Array) -> tuple[Array, tuple[Array, Array]]:
            place_key, value_key = jr.split(jr.fold_in(key, i))
            place = _draw.place(place_key, bins, share)
            noise = jr.normal(value_key, wide.shape, wide.dtype)
            category = at(bins.mean, place, wide.dtype)
            value = jnp.where(categorical, category, centre + std * noise)
            neighbour = value.astype(row.dtype)
            return neighbour, (neighbour, place)

        def represent(record: tuple[Array, Array]) -> Array:
            value, place = record
            varies = known & (std > 0)
            scaled = (value.astype(wide.dtype) - mean) / jnp.where(varies, std, 1)
            numbers = jnp.where(varies, scaled, 0)
            same = (place == own) & known
            return jnp.where(categorical, same.astype(wide.dtype), numbers)

        near = _fit.Neighbourhood(draw, represent, represent((row, own)))
        return _fit.of_rows("continuous_lime", f, row, args, near, options)

    return explain
