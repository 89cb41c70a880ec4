"""LIME for tables: is each value in the bin of the row, or elsewhere?"""

from typing import Literal, TypeAlias, get_args

import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array

from .. import _checks
from .._types import REQUIRED, PRNGKey, ScalarFn, Ts
from ..surrogates import Surrogate
from ..surrogates._types import Selection
from . import _draw, _fit, _inputs
from ._bins import Bins, place_of

Sampling: TypeAlias = Literal["training", "local"]


def lime(
    f: ScalarFn[Array, *Ts],
    *,
    num_samples: int = 5000,
    sampling: Sampling = "training",
    width: float | None = None,
    ridge: float = 1.0,
    num_features: int | None = None,
    selection: Selection = "highest_weights",
    chunk_size: int | None = None,
) -> _fit.Explained[*Ts]:
    r"""What it means for a row that each value is in its bin, and not in another one.

    Neighbours of the row are drawn from the training data, one column at a time: a bin
    by its frequency, then a value in it, by a normal law with the moments of the bin
    that is cut off at its ends. With $z_j = 1$ where the bin of column $j$ is that of
    the row, and $z_j = 0$ elsewhere,

    $$\min_{\beta, \beta_0} \sum_{i=1}^{n} \pi(z_i)
    \left(f(x_i) - \beta_0 - z_i^\top \beta\right)^2 + \lambda \lVert \beta \rVert^2,
    \qquad \pi(z) = \exp\left(-\frac{d - |z|}{2 \omega^2}\right)$$

    The first sample is the row itself. The defaults are those of the `lime` package.

    Neighbours do not depend on the row. Mapped over rows with one key, a whole batch
    shares them and their evaluations: `num_samples - 1`, and one for each row.

    The weight of a column is NaN where nothing can be known of it: it has a single bin,
    or the value of the row is NaN. Non-finite values of `f` are left out, as in
    `surrogate`.

    Args:
        f: Function to explain: `f(row, *args)` returns a scalar.
        num_samples: Number of evaluations of `f`.
        sampling: `"training"` draws the bins by their frequency. `"local"` draws them
            in proportion to frequency and kernel, and weighs all samples equally after
            that: for narrow kernels. Neighbours then depend on the row.
        width: Kernel width $\omega$; by default $0.75 \sqrt{d}$ for $d$ columns, at
            which the weights hardly differ.
        ridge: Penalty $\lambda$ on the weights; 0 is least squares.
        num_features: Number of columns to keep, at most; all by default.
        selection: How to choose them, see `surrogate`.
        chunk_size: Number of neighbours evaluated at once; all of them by default.
            The memory of `f` follows it; what is kept of the neighbours follows
            `num_samples` times the columns.

    Returns:
        `fit(row, *args, bins, key)`, which returns a `Surrogate` with one weight per
        column, in the units of `f`. See `quantiles` for `bins`, and `conditions` for
        the words.

    Raises:
        ValueError: If an option is out of range, the row has not the columns of the
            bins, it holds a category that the training data lack (traced: its weight
            is NaN), or `f` does not return a scalar.
        TypeError: If the row holds integers, or `bins` or `key` is missing.

    Example:
        >>> table = jax.random.uniform(jax.random.key(0), (200, 2))
        >>> bins = jx.tables.quantiles(table)
        >>> explain = jx.tables.lime(lambda row: 1.0 * (row[0] > 0.75), ridge=0.0)
        >>> found = explain(jnp.array([0.9, 0.2]), bins=bins, key=jax.random.key(1))
        >>> found.weights.round(1), found.r2.round(1)
        (Array([ 1., -0.], dtype=float32), Array(1., dtype=float32))

    References:
        Ribeiro, Singh and Guestrin (2016), *"Why Should I Trust You?"*,
        arXiv:1602.04938, equation 1 and algorithm 1.
        Garreau and von Luxburg (2020), *Looking Deeper into Tabular LIME*,
        arXiv:2008.11092, on what the defaults compute.
        Tan, Tian and Li (2023), *GLIME*, arXiv:2311.15722, for local sampling.
    """
    _checks.choice("sampling", sampling, get_args(Sampling))
    options = _fit.Options(
        num_samples, width, ridge, num_features, selection, chunk_size
    )
    _fit.check(options)

    def explain(
        row: Array, /, *args: *Ts, bins: Bins = REQUIRED, key: PRNGKey = REQUIRED
    ) -> Surrogate[Array]:
        row = _inputs.row_of(bins, row)
        _checks.key(key, "lime")
        wide = _inputs.wide(row)
        own, known = place_of(bins, wide)
        _inputs.seen(bins, row, known)
        share = jnp.asarray(bins.frequency, wide.dtype)
        if sampling == "local":
            here = jnp.arange(share.shape[1], dtype=own.dtype)[None] == own[:, None]
            # No bin is that of a value without one, so none is favoured.
            here |= ~known[:, None]
            elsewhere = _fit.kernel_of_one(_fit.width_for(options, len(row)))
            share = share * jnp.where(here, 1.0, elsewhere).astype(share.dtype)

        def draw(i: Array) -> tuple[Array, Array]:
            place_key, value_key = jr.split(jr.fold_in(key, i))
            place = _draw.place(place_key, bins, share)
            value = _draw.value(value_key, bins, place, wide.dtype)
            neighbour = value.astype(row.dtype)
            return neighbour, _draw.place_seen(bins, place, neighbour)

        def same(place: Array) -> Array:
            return (place == own) & known

        near = _fit.Neighbourhood(draw, same, known, local=sampling == "local")
        return _fit.of_rows("lime", f, row, args, near, options)

    return explain
