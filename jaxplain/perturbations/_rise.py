"""Random masks, weighed by what `f` says where they leave the input."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, ArrayLike, Float, Int

from .. import _checks, _regression, _tree
from .._types import REQUIRED, Averaged, PRNGKey, ScalarFn, Ts, X
from ..games import evaluate, game
from ..shapley import Estimate
from . import _axes


def rise(
    f: ScalarFn[X, *Ts],
    *,
    num_samples: int = 4000,
    grid: int | tuple[int, ...] = 7,
    probability: float = 0.5,
    chunk_size: int | None = None,
) -> Averaged[X]:
    r"""The mean of `f` over random masks that leave a pixel as it is.

    $$\phi_p(x) = \mathbb{E}[f(M \odot x) \mid M_p = 1]
    = \frac{\mathbb{E}[v(M)\, M_p]}{\mathbb{E}[M_p]}
    \approx \bar v + \frac{1}{(n - 1)\,\mathbb{E}[M_p]} \sum_{i=1}^{n}
    \left(v(M_i) - \bar v\right) M_{i,p}$$

    Masks are drawn on a coarse grid, stretched linearly over the input and shifted at
    random, so they have no edges. The estimate is unbiased. It takes the mean $\bar v$
    of `f` over the masks out of the sum of the paper before it is weighed: a constant
    `f` gives that constant, where otherwise the mean of the masks shows through. Only
    differences within an explanation say something. A value of `f` that is not finite
    makes every entry NaN.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        num_samples: Number of masks $n$, at least 2. The paper takes 4,000 to 8,000.
        grid: Number of cells along each of the leading axes of `x`, one array, whose
            other axes share the mask. One number is for all axes but the last, the
            channels, or for the only one.
        probability: Probability that a cell is present, which is $\mathbb{E}[M_p]$.
        chunk_size: Number of masks evaluated at once; all of them by default.
            Peak memory follows it.

    Returns:
        `explain(x, *args, baseline, key)`, shaped like `x`, in the units of `f`.
        Costs `num_samples` evaluations of `f`.

    Raises:
        ValueError: If `f` does not return a scalar, `x` is not one array, `baseline`
            or `grid` does not fit it, or an option is out of range.
        TypeError: If `x` holds integers, or `baseline` or `key` is missing.

    Example:
        >>> explain = jax.jit(rise(lambda x: x[0] + 2.0 * x[8], grid=3))
        >>> phi = explain(jnp.ones(9), baseline=0.0, key=jax.random.key(0))
        >>> phi.argmax(), phi[jnp.array([0, 8])].round(1)
        (Array(8, dtype=int32), Array([2. , 2.3], dtype=float32))

    References:
        Petsiuk, Das and Saenko (2018), *RISE*, arXiv:1806.07421, equation 6 and
        section 3.2.
    """
    fit = _fitted("rise", f, num_samples, grid, probability, chunk_size)

    def explain(
        x: X,
        /,
        *args: *Ts,
        baseline: X | ArrayLike = REQUIRED,
        key: PRNGKey = REQUIRED,
    ) -> Any:
        return fit(x, *args, baseline=baseline, key=key).values

    return explain


def rise_fit(
    f: ScalarFn[X, *Ts],
    *,
    num_samples: int = 4000,
    grid: int | tuple[int, ...] = 7,
    probability: float = 0.5,
    chunk_size: int | None = None,
) -> Averaged[Estimate[X]]:
    r"""`rise`, and its standard error.

    $$\sigma_p^2 = \frac{1}{n} \operatorname{Var}\left[
    \frac{(v(M) - \mathbb{E}[v])\, M_p}{\mathbb{E}[M_p]}\right]$$

    Entries of one cell share their masks, so their errors are alike.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        num_samples: Number of masks $n$, at least 2.
        grid: As in `rise`.
        probability: As in `rise`.
        chunk_size: Number of masks evaluated at once; all of them by default.
            Peak memory follows it.

    Returns:
        `fit(x, *args, baseline, key)`, an `Estimate` whose values and standard errors
        are shaped like `x`. Costs `num_samples` evaluations of `f`.

    Raises:
        ValueError: As `rise`.
        TypeError: As `rise`.

    Example:
        >>> fit = jax.jit(rise_fit(lambda x: x.sum(), num_samples=1000, grid=2))
        >>> estimate = fit(jnp.ones(4), baseline=0.0, key=jax.random.key(0))
        >>> bool((estimate.standard_error < 0.1).all())
        True

    References:
        Petsiuk, Das and Saenko (2018), arXiv:1806.07421, equation 6.
    """
    return _fitted("rise_fit", f, num_samples, grid, probability, chunk_size)


def _fitted(
    who: str,
    f: ScalarFn[X, *Ts],
    num_samples: int,
    grid: int | tuple[int, ...],
    probability: float,
    chunk_size: int | None,
) -> Averaged[Estimate[X]]:
    _checks.count("num_samples", num_samples, 2)
    _checks.chunk_size(chunk_size)
    _probability(probability)
    cells = _axes.sides("grid", grid)

    def fit(
        x: X,
        /,
        *args: *Ts,
        baseline: X | ArrayLike = REQUIRED,
        key: PRNGKey = REQUIRED,
    ) -> Estimate[Any]:
        _checks.key(key, who)
        array = _axes.one_array("grid", x)
        sizes = _axes.over_axes("grid", cells, array)
        v = game(f, array, *args, baseline=baseline)
        shape = array.shape[: len(sizes)]
        others = (1,) * (array.ndim - len(sizes))

        def mask(i: Int[Array, ""]) -> Array:
            return smooth_mask(jr.fold_in(key, i), shape, sizes, probability)

        def column(i: Int[Array, ""]) -> Array:
            return mask(i).reshape(*shape, *others)

        values = evaluate(v, column, num_samples, chunk_size)
        mean, error = _weigh(values, mask, probability, chunk_size)

        def spread(heatmap: Array) -> Array:
            wide = jnp.broadcast_to(heatmap.reshape(*shape, *others), array.shape)
            return wide.astype(array.dtype)

        return Estimate(
            spread(mean), spread(error), jnp.asarray(num_samples, jnp.int32)
        )

    return fit


def _weigh(
    values: Array,
    mask: Callable[[Array], Array],
    probability: float,
    chunk_size: int | None,
) -> tuple[Array, Array]:
    """The estimate at each entry, and its standard error."""
    unit, values = _regression.in_own_unit(values)
    n, mean = len(values), values.mean()

    def pull(i: Int[Array, ""]) -> tuple[Array, Array]:
        weight = (values[i] - mean) / probability
        pulled = weight * mask(i).astype(values.dtype)
        return pulled, pulled**2

    first, second = _tree.mean_samples(pull, n, chunk_size)
    variance = jnp.maximum(second - first**2, 0) / (n - 1)
    estimate = mean + first * (n / (n - 1))
    return unit * estimate, unit * _regression.root(variance)


def smooth_mask(
    key: PRNGKey,
    shape: tuple[int, ...],
    grid: tuple[int, ...],
    probability: float,
) -> Float[Array, "..."]:
    """Coins on a grid, stretched linearly to one cell too many, and cut at random."""
    coins_key, shift_key = jr.split(key)
    # In 32 bits whatever the mode, so that the same key draws the same masks.
    coins = jr.uniform(coins_key, grid, jnp.float32) < probability
    sides = jnp.array([-(-a // b) for a, b in zip(shape, grid)], jnp.int32)
    shifts = jr.randint(shift_key, sides.shape, 0, sides, jnp.int32)
    return stretched(coins.astype(jnp.float32), shifts, shape)


def stretched(
    cells: Float[Array, "..."], shifts: Int[Array, " rank"], shape: tuple[int, ...]
) -> Float[Array, "..."]:
    """A grid as large as one more cell than fits along each axis, from a shift on."""
    for axis, (length, count) in enumerate(zip(shape, cells.shape)):
        width = -(-length // count) * (count + 1) / count  # of a cell, in entries
        place = jnp.arange(length, dtype=jnp.int32) + shifts[axis]
        # Centres of entries between centres of cells: constant beyond the last of them.
        centre = (place.astype(jnp.float32) + 0.5) / width - 0.5
        near = jnp.clip(centre, 0, count - 1)[:, None]
        distance = jnp.abs(near - jnp.arange(count, dtype=jnp.float32)[None])
        weights = jax.nn.relu(1 - distance)
        # Full float32 on every device: a mask is 1 where all cells around are.
        cells = jnp.tensordot(weights, cells, (1, axis), precision="highest")
        cells = jnp.moveaxis(cells, 0, axis)
    return cells


def _probability(value: Any) -> None:
    _checks.positive("probability", value)
    if value >= 1:
        raise ValueError(
            f"`probability` must be below 1, but is {value!r}: nothing would ever be "
            "absent. The paper takes 0.5."
        )
