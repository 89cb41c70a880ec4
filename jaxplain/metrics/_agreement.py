"""Do two explanations say the same? Any of these compares a map with another."""

import jax.numpy as jnp
from jaxtyping import Array, PyTree

from .. import _checks, _tree
from .._types import Scalar
from ._ties import centred_ranks, top
from ._vectors import pair, poisoned


def rank_correlation(a: PyTree, b: PyTree, *, absolute: bool = False) -> Scalar:
    r"""Spearman's correlation: do two explanations order the features alike?

    $$\rho = \mathrm{corr}(\mathrm{rank}(a), \mathrm{rank}(b))$$

    1 for the same order, -1 for the opposite, about 0 for unrelated maps. All features
    count alike, so the order among the many small values decides, more than that among
    the few large ones: see `top_k`. Signs decide much too: two maps that agree on where
    the evidence is, and not on its sign, agree with `absolute=True` only. Equal values
    share the mean of their ranks.

    Args:
        a: Explanation, any pytree.
        b: Another one, of the same shapes.
        absolute: Compare the absolute values.

    Returns:
        A scalar from -1 to 1. NaN if either is constant, or holds NaN.

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> rank_correlation(jnp.array([1.0, 2.0, 9.0]), jnp.array([0.0, 1.0, 2.0]))
        Array(1., dtype=float32)

    References:
        Spearman (1904), *The Proof and Measurement of Association between Two Things*.
        Adebayo et al. (2018), *Sanity Checks for Saliency Maps*, arXiv:1810.03292,
        which reports it with and without absolute values.
    """
    a, b = pair(a, b)
    if absolute:
        a, b = jnp.abs(a), jnp.abs(b)
    return poisoned(_cosine(centred_ranks(a), centred_ranks(b)), a, b)


def kendall(a: PyTree, b: PyTree, *, chunk_size: int | None = 256) -> Scalar:
    r"""Kendall's tau-b: pairs of features in the same order, less those that are not.

    $$\tau_b = \frac{\sum_{i<j} s_{ij} t_{ij}}{\sqrt{\sum_{i<j} s_{ij}^2}
    \sqrt{\sum_{i<j} t_{ij}^2}}, \qquad
    s_{ij} = \mathrm{sign}(a_i - a_j),\; t_{ij} = \mathrm{sign}(b_i - b_j)$$

    Compares every pair: time grows with the square of the number of features, where
    `rank_correlation` only sorts.

    Args:
        a: Explanation, any pytree.
        b: Another one, of the same shapes.
        chunk_size: Number of features compared with all others at once. Peak memory
            follows it.

    Returns:
        A scalar from -1 to 1. NaN if either is constant, or holds NaN.

    Raises:
        ValueError: If the shapes differ, or `chunk_size` is below 1.

    Example:
        >>> kendall(jnp.array([1.0, 2.0, 3.0]), jnp.array([1.0, 3.0, 2.0]))
        Array(0.33, dtype=float32)

    References:
        Kendall (1945), *The Treatment of Ties in Ranking Problems*.
    """
    a, b = pair(a, b)

    def row(i: Array) -> tuple[Array, Array, Array]:
        s, t = _sides(a[i], a), _sides(b[i], b)
        return jnp.mean(s * t), jnp.mean(s * s), jnp.mean(t * t)

    both, first, second = _tree.mean_samples(row, a.size, chunk_size)
    tau = both / (jnp.sqrt(first) * jnp.sqrt(second))
    return poisoned(jnp.clip(tau, -1, 1), a, b)


def pearson(a: PyTree, b: PyTree) -> Scalar:
    r"""The linear correlation of two explanations.

    $$r = \frac{\sum_i (a_i - \bar a)(b_i - \bar b)}{\lVert a - \bar a \rVert \,
    \lVert b - \bar b \rVert}$$

    Indifferent to scale and to what is added to every feature. The largest values
    decide, so one pixel that both maps light up can make strangers agree.

    Args:
        a: Explanation, any pytree.
        b: Another one, of the same shapes.

    Returns:
        A scalar from -1 to 1. NaN if either is constant, or holds NaN.

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> pearson(jnp.array([-1.0, 1.0, 1.0]), jnp.array([0.0, 0.0, 2.0]))
        Array(0.5, dtype=float32)
    """
    a, b = pair(a, b)
    return _cosine(centred(a), centred(b))


def cosine(a: PyTree, b: PyTree) -> Scalar:
    r"""The cosine of the angle between two explanations.

    $$\frac{\sum_i a_i b_i}{\lVert a \rVert \, \lVert b \rVert}$$

    Indifferent to scale, and not to what is added to every feature: two maps without
    negative values are never at a right angle, however little they share.

    Args:
        a: Explanation, any pytree.
        b: Another one, of the same shapes.

    Returns:
        A scalar from -1 to 1. NaN if either is zero everywhere, or holds NaN.

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> cosine(jnp.array([3.0, 0.0]), jnp.array([3.0, 4.0])).round(2)
        Array(0.6, dtype=float32)
    """
    return _cosine(*pair(a, b))


def top_k(a: PyTree, b: PyTree, *, k: int, absolute: bool = False) -> Scalar:
    r"""The share of the `k` highest features that two explanations have in common.

    $$\frac{|\mathrm{top}_k(a) \cap \mathrm{top}_k(b)|}{k}$$

    What a reader of the largest attributions would see; blind to their order and to
    everything below. Unrelated maps of `n` features share `k / n`. Features that tie
    for the last places share them, so the order of the input does not matter.

    Args:
        a: Explanation, any pytree.
        b: Another one, of the same shapes.
        k: Number of features; at most all of them.
        absolute: Rank by the absolute values.

    Returns:
        A scalar from 0 to 1. NaN if either holds NaN.

    Raises:
        ValueError: If the shapes differ, or `k` is below 1 or above the number of
            features.

    Example:
        >>> top_k(jnp.array([1.0, 2.0, 9.0]), jnp.array([0.0, 3.0, 2.0]), k=1)
        Array(0., dtype=float32)

    References:
        Krishna et al. (2022), *The Disagreement Problem in Explainable Machine
        Learning*, arXiv:2202.01602: feature agreement.
    """
    a, b = pair(a, b)
    at_most(k, a.size)
    if absolute:
        a, b = jnp.abs(a), jnp.abs(b)
    size = jnp.asarray(k)
    common = jnp.minimum(top(a, size), top(b, size)).sum() / k
    return poisoned(common, a, b)


def at_most(k: int, number: int) -> None:
    if _checks.count("k", k) > number:
        raise ValueError(
            f"`k` must be at most the number of features, {number}, but is {k}. "
            "Compare fewer of the highest."
        )


def centred(v: Array) -> Array:
    """Less the mean; NaN where all values are equal, and rounding would decide."""
    return jnp.where(v.max() == v.min(), jnp.nan, v - v.mean())


def _sides(value: Array, others: Array) -> Array:
    """1 where it is above, -1 where it is below: infinite values have no difference."""
    above, below = value > others, value < others
    return above.astype(others.dtype) - below.astype(others.dtype)


def _cosine(a: Array, b: Array) -> Array:
    # The square of a small attribution would underflow.
    a, b = a / jnp.max(jnp.abs(a)), b / jnp.max(jnp.abs(b))
    lengths = jnp.sqrt(jnp.sum(a * a)) * jnp.sqrt(jnp.sum(b * b))
    return jnp.clip(jnp.sum(a * b) / lengths, -1, 1)
