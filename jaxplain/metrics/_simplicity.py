"""Is an explanation short? Numbers of a map alone."""

import jax.numpy as jnp
from jaxtyping import PyTree

from .. import _checks
from .._types import Scalar
from ._vectors import poisoned, vector


def sparseness(attribution: PyTree) -> Scalar:
    r"""The Gini index of the absolute attributions: how few features hold how much.

    $$\frac{\sum_{i=1}^{n} (2 i - n - 1) \, |\phi|_{(i)}}{n \sum_i |\phi_i|}$$

    with the absolute values in rising order. 0 if all are equal, `1 - 1 / n` if one has
    everything, whatever the scale. It knows nothing of the model: a single random pixel
    is the sparsest map there is.

    Args:
        attribution: Attribution, any pytree.

    Returns:
        A scalar from 0 to 1. NaN if the attribution is zero everywhere, or holds NaN.

    Example:
        >>> sparseness(jnp.zeros(8).at[3].set(2.0))
        Array(0.875, dtype=float32)

    References:
        Chalasani, Chen, Chowdhury, Wu and Jha (2020), *Concise Explanations of Neural
        Networks using Adversarial Training*, arXiv:1810.06583, section 5.
    """
    size = jnp.sort(jnp.abs(vector(attribution)))
    place = 2 * jnp.arange(1, size.size + 1) - size.size - 1
    # Divided before they are summed: a sum of many places would lose their ends.
    weights = place.astype(size.dtype) / size.size
    return jnp.sum(weights * size) / jnp.sum(size)


def entropy(attribution: PyTree) -> Scalar:
    r"""The entropy of the shares of the absolute attribution: over how many features?

    $$-\sum_i p_i \ln p_i, \qquad p_i = |\phi_i| / \textstyle\sum_j |\phi_j|$$

    In nats: 0 if one feature has everything, `ln n` if all share alike, and `exp` of it
    reads as a number of features. The paper calls it complexity. It knows nothing of
    the model, and grows with the number of features: divide by `ln n` to compare.

    Args:
        attribution: Attribution, any pytree.

    Returns:
        A scalar. NaN if the attribution is zero everywhere, or holds NaN.

    Example:
        >>> entropy(jnp.array([1.0, 1.0, 0.0, 0.0])).round(2)
        Array(0.69, dtype=float32)

    References:
        Bhatt, Weller and Moura (2020), *Evaluating and Aggregating Feature-based Model
        Explanations*, arXiv:2005.00631, definition 4.
    """
    size = jnp.abs(vector(attribution))
    share = size / jnp.sum(size)
    return -jnp.sum(share * jnp.log(jnp.where(share == 0, 1, share)))


def effective_complexity(attribution: PyTree, *, threshold: float) -> Scalar:
    r"""The number of features whose absolute attribution is above a threshold.

    $$|\{i : |\phi_i| > \epsilon\}|$$

    In the units of the attribution, so it has no default, and maps of different scales
    are not comparable. It asks nothing of the model: the paper means the fewest top
    features that keep the expected loss of the model within a tolerance, of which this
    count is what tools report.

    Args:
        attribution: Attribution, any pytree.
        threshold: What counts as none; zero or above.

    Returns:
        A scalar. NaN if the attribution holds NaN.

    Raises:
        ValueError: If `threshold` is negative.

    Example:
        >>> effective_complexity(jnp.array([0.3, -0.2, 0.01]), threshold=0.05)
        Array(2., dtype=float32)

    References:
        Nguyen and Martinez (2020), *On Quantitative Aspects of Model Interpretability*,
        arXiv:2007.07584, section 3.
    """
    _checks.positive("threshold", threshold, zero=True)
    phi = vector(attribution)
    count = jnp.sum(jnp.abs(phi) > threshold).astype(phi.dtype)
    return poisoned(count, phi)


def histogram_entropy(attribution: PyTree, *, num_bins: int = 100) -> Scalar:
    r"""The entropy of a histogram of the attribution: how many different values?

    $$-\sum_{b} p_b \ln p_b$$

    with `p_b` the share of the features in bin `b`, of equal width between the extremes
    of the map. It sees how the values are spread, and neither where nor how large.

    Args:
        attribution: Attribution, any pytree.
        num_bins: Number of bins.

    Returns:
        A scalar, in nats. 0 if the attribution is constant, NaN if it holds NaN.

    Raises:
        ValueError: If `num_bins` is below 2.

    Example:
        >>> histogram_entropy(jnp.array([0.0, 0.0, 2.0, 3.0]), num_bins=2).round(2)
        Array(0.69, dtype=float32)

    References:
        Hedstrom, Weber, Lapuschkin and Hohne (2024), *Sanity Checks Revisited*,
        arXiv:2401.06465: what rises in efficient MPRT.
    """
    _checks.count("num_bins", num_bins, 2)
    phi = vector(attribution)
    low, high = phi.min(), phi.max()
    width = jnp.where(high > low, high - low, 1)
    place = jnp.clip(jnp.floor((phi - low) / width * num_bins), 0, num_bins - 1)
    counts = jnp.zeros(num_bins, phi.dtype).at[place.astype(jnp.int32)].add(1)
    return poisoned(entropy(counts), phi)
