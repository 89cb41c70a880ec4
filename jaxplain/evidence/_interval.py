"""How far the mean of the examples may be from that of all such examples."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Bool, Float

from .. import _checks, _tree
from .._types import REQUIRED, PRNGKey, Scalar
from . import _valid


class Interval(NamedTuple):
    """A mean, and where that of the population may be.

    Attributes:
        mean: Mean of the values.
        low: Lower end.
        high: Upper end.
    """

    mean: Scalar
    low: Scalar
    high: Scalar


def interval(
    values: Float[ArrayLike, " n"],
    *,
    key: PRNGKey = REQUIRED,
    level: float = 0.95,
    num_samples: int = 1000,
    where: Bool[ArrayLike, " n"] | None = None,
    chunk_size: int | None = None,
) -> Interval:
    r"""The mean of scores with a bootstrap interval, by the percentiles of $t$.

    Examples are drawn again with replacement, and $t^* = (\bar v^* - \bar v) / s^*$
    says how many of its own standard deviations a resampled mean is away from the mean:

    $$\left[\bar v - t^*_{(1 + \gamma)/2}\, s,\;
    \bar v - t^*_{(1 - \gamma)/2}\, s\right]$$

    at level $\gamma$. Skewed scores get a skewed interval. The ends stay within the
    smallest and the largest value: a resample whose values are all equal has no $t$.
    It says nothing of training, of data from elsewhere, or of examples that depend on
    each other, such as windows of one series.

    Args:
        values: Scores, one per independent example.
        key: Random key.
        level: Share of such intervals that hold the mean of the population.
        num_samples: Number of resamples.
        where: Examples to use; all of them by default.
        chunk_size: Number of resamples at once; all of them by default. Peak memory
            follows it.

    Returns:
        An `Interval`. Its ends are NaN for fewer than two examples.

    Raises:
        ValueError: If a shape is wrong, or `level` is not between 0 and 1.
        TypeError: If `key` is missing.

    Example:
        >>> scores = jnp.array([0.1, 0.2, 0.2, 0.3, 0.9])
        >>> found = interval(scores, key=jax.random.key(0))
        >>> bool(found.high - found.mean > found.mean - found.low)  # as the scores are
        True

    References:
        Efron (1981), *Nonparametric Standard Errors and Confidence Intervals*,
        Canadian Journal of Statistics 9(2).
        DiCiccio and Efron (1996), *Bootstrap Confidence Intervals*, Statistical Science
        11(3), section 4.
    """
    v, used = _valid.scores("values", values, where)
    _valid.level(level)
    _checks.key(key, "`interval`")
    number = used.sum()
    count = number.astype(v.dtype)
    mean = jnp.where(used, v, 0).sum() / count
    d = jnp.where(used, v - mean, 0)
    # In units of the largest, so that squares of tiny scores are not zero.
    unit = jnp.abs(d).max()
    d = d / jnp.where(unit > 0, unit, 1)
    # What is used comes first, so that a draw below `count` is one of it.
    d = d[jnp.argsort(~used, stable=True)]
    drawn = jnp.arange(v.size, dtype=number.dtype) < number

    def resampled(i: Array) -> Array:
        uniform = jax.random.uniform(jax.random.fold_in(key, i), d.shape, d.dtype)
        rows = jnp.minimum(uniform * count, count - 1).astype(jnp.int32)
        moved, spread = _moments(jnp.where(drawn, d[rows], 0), drawn, count)
        alike = spread <= jnp.sqrt(jnp.finfo(d.dtype).eps) * s
        far = jnp.finfo(d.dtype).max / 4
        return jnp.where(
            alike, jnp.sign(moved) * far, moved / jnp.where(alike, 1, spread)
        )

    _, s = _moments(d, drawn, count)
    width = s * unit
    t = _tree.map_samples(resampled, num_samples, chunk_size)
    tail = (1 - level) / 2
    # A quantile that is one of the values: between two of them may be the infinite.
    upper = jnp.quantile(t, 1 - tail, method="higher")
    lower = jnp.quantile(t, tail, method="lower")
    least = jnp.where(used, v, jnp.inf).min()
    most = jnp.where(used, v, -jnp.inf).max()
    low = jnp.where(s > 0, jnp.clip(mean - upper * width, least, mean), mean)
    high = jnp.where(s > 0, jnp.clip(mean - lower * width, mean, most), mean)
    missing = (count < 2) | jnp.isnan(mean)
    return Interval(
        mean, jnp.where(missing, jnp.nan, low), jnp.where(missing, jnp.nan, high)
    )


def _moments(values: Array, used: Array, count: Array) -> tuple[Array, Array]:
    """The mean and the standard deviation of what is used; the rest is zero."""
    mean = values.sum() / count
    squares = jnp.where(used, jnp.square(values - mean), 0).sum()
    return mean, jnp.sqrt(squares / count)
