"""Are two sets of scores of the same examples different?"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Float

from .. import _checks, _tree
from .._types import REQUIRED, PRNGKey, Scalar
from . import _valid
from ._interval import interval


class Comparison(NamedTuple):
    """The mean of paired differences, its interval, and a test that it is zero.

    Attributes:
        difference: Mean of `a - b`.
        low: Lower end of its interval.
        high: Upper end of its interval.
        p_value: Of the two-sided sign-flip test.
    """

    difference: Scalar
    low: Scalar
    high: Scalar
    p_value: Scalar


def compare(
    a: Float[ArrayLike, " n"],
    b: Float[ArrayLike, " n"],
    *,
    key: PRNGKey = REQUIRED,
    level: float = 0.95,
    num_samples: int = 2000,
    where: Bool[ArrayLike, " n"] | None = None,
    chunk_size: int | None = None,
) -> Comparison:
    r"""Test whether two explainers differ, on the scores of the same examples.

    If neither is better, `a` and `b` could change places in any example, so the signs
    of the differences $d = a - b$ are coins:

    $$p = \Pr_{s \in \{-1, 1\}^n}\left(
    \left|\sum_i s_i d_i\right| \ge \left|\sum_i d_i\right|\right)$$

    Valid for any number of examples, and without normality: all it takes is that the
    differences are symmetric about zero where there is no difference. All sign patterns
    are enumerated if they are no more than `num_samples`; otherwise that many are
    drawn, and the observed one counts as another, so `p` is never below
    `1 / (num_samples + 1)`. With `n` examples it is never below `2 ** (1 - n)`: below
    six of them nothing can reach 0.05 after that.

    Args:
        a: Scores of one explainer, one per example.
        b: Scores of the other, on the same examples in the same order.
        key: Random key.
        level: Of the interval.
        num_samples: Number of sign patterns, and of resamples of the interval.
        where: Examples to use; all of them by default.
        chunk_size: Number of patterns at once; all of them by default. Peak memory
            follows it.

    Returns:
        A `Comparison`. Correct several of them with `holm`.

    Raises:
        ValueError: If a shape is wrong, or `level` is not between 0 and 1.
        TypeError: If `key` is missing.

    Example:
        >>> a, b = jnp.array([3.0, 4.0, 6.0, 5.0]), jnp.array([1.0, 2.0, 3.0, 4.0])
        >>> found = compare(a, b, key=jax.random.key(0))
        >>> found.difference, found.p_value  # 2 of the 16 patterns are as far from zero
        (Array(2., dtype=float32), Array(0.125, dtype=float32))

    References:
        Fisher (1935), *The Design of Experiments*, section 21.
        Phipson and Smyth (2010), *Permutation P-values Should Never Be Zero*,
        Statistical Applications in Genetics and Molecular Biology 9(1):
        the observed pattern counts.
    """
    a, used = _valid.scores("a", a, where)
    b, _ = _valid.scores("b", b, where)
    _valid.paired(a, b)
    _checks.key(key, "`compare`")
    patterns, resamples = jax.random.split(key)
    widest = _tree.widest((a, b))
    d = jnp.where(used, a.astype(widest) - b.astype(widest), 0)
    middle = interval(
        d,
        key=resamples,
        level=level,
        num_samples=num_samples,
        where=used,
        chunk_size=chunk_size,
    )
    p_value = sign_flip(d, used, patterns, num_samples, chunk_size)
    return Comparison(middle.mean, middle.low, middle.high, p_value)


def sign_flip(
    d: Array, used: Array, key: PRNGKey, num_samples: int, chunk_size: int | None
) -> Array:
    """The p-value of differences that are zero where they are not used."""
    every = d.size < 31 and 2**d.size <= num_samples
    bits = jnp.arange(d.size, dtype=jnp.int32)

    def flipped(i: Array) -> Array:
        if every:
            heads = (i.astype(jnp.int32) >> bits) & 1 == 1
        else:
            # Not the default 0.5, whose dtype decides the draws.
            half = jnp.float32(0.5)
            heads = jax.random.bernoulli(jax.random.fold_in(key, i), half, d.shape)
        return jnp.where(heads, -d, d).sum()

    number = 2**d.size if every else num_samples
    sums = jnp.abs(_tree.map_samples(flipped, number, chunk_size))
    # Sums that are equal by symmetry differ by rounding, and they are ties.
    slack = 8 * jnp.finfo(d.dtype).eps * jnp.abs(d).sum()
    reached = jnp.sum(sums >= jnp.abs(d.sum()) - slack).astype(d.dtype)
    p_value = reached / number if every else (reached + 1) / (number + 1)
    return jnp.where(used.any() & jnp.isfinite(d.sum()), p_value, jnp.nan)


def holm(p_values: Float[ArrayLike, " tests"]) -> Float[Array, " tests"]:
    r"""Adjust p-values so that no false alarm among all tests is likelier than one's.

    In increasing order, $\tilde p_{(i)} = \max_{j \le i} \min(1, (m - j + 1) p_{(j)})$
    of $m$ tests. Rejecting where $\tilde p \le \alpha$ keeps the probability of any
    false rejection at most $\alpha$, however the tests depend on each other.

    Args:
        p_values: One per test. NaN is no test: it stays, and does not count.

    Returns:
        The adjusted p-values, in the order of the tests.

    Raises:
        ValueError: If `p_values` is not one-dimensional.

    Example:
        >>> holm(jnp.array([0.01, 0.04, 0.03, 0.005]))
        Array([0.03, 0.06, 0.06, 0.02], dtype=float32)

    References:
        Holm (1979), *A Simple Sequentially Rejective Multiple Test Procedure*,
        Scandinavian Journal of Statistics 6(2).
    """
    p = _valid.floats("p_values", p_values)
    order = jnp.argsort(p)  # NaN goes last
    number = jnp.sum(~jnp.isnan(p))
    left = jnp.maximum(number - np.arange(p.size), 1).astype(p.dtype)
    steps = jax.lax.cummax(jnp.nan_to_num(jnp.minimum(left * p[order], 1), nan=1.0))
    adjusted = jnp.zeros_like(p).at[order].set(steps)
    return jnp.where(jnp.isnan(p), p, adjusted)
