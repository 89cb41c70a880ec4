"""Metrics of time series that threshold a map, scaled to run from 0 to 1."""

from typing import Literal, get_args

import jax.numpy as jnp
from jaxtyping import Array, Bool, PyTree

from .. import _checks
from .._types import Scalar
from ._ties import at_least
from ._vectors import masked, poisoned

Rule = Literal["step", "trapezoid"]


def area_under_precision(
    attribution: PyTree, mask: PyTree[Bool[Array, "..."]], *, rule: Rule = "step"
) -> Scalar:
    r"""The precision of a threshold, averaged over thresholds.

    $$\int_0^1 \frac{|A \cap \hat{A}(\tau)|}{|\hat{A}(\tau)|} \, d\tau, \qquad
    \hat{A}(\tau) = \{i : m_i \ge \tau\}$$

    with `m` the attribution, scaled to run from 0 to 1. AUP, higher is better. It
    depends on how the values are spread and not on their order alone: of two maps that
    rank alike, the one with a few high values wins. Use `average_precision` to compare
    explainers, and this one to stand beside published tables.

    Args:
        attribution: Attribution, any pytree, summed over the axes that the mask does
            not have. Scaled as one: to pool examples, scale each of them before.
        mask: Where the cause is, nonzero inside: the same pytree, each leaf with the
            shape of the attribution or of its leading axes.
        rule: `"step"` is the integral. `"trapezoid"` joins the thresholds that occur by
            lines, as the code behind the published tables does. They agree where values
            are many; a perfect mask of zeros and ones has an area of 1 by the first and
            nearly 1/2 by the second.

    Returns:
        A scalar from 0 to 1. NaN if the mask is empty, all values are equal, or the
        attribution holds NaN.

    Raises:
        ValueError: If the mask does not fit the attribution.

    Example:
        >>> attribution, mask = jnp.array([0.0, 0.5, 1.0]), jnp.array([0, 0, 1])
        >>> area_under_precision(attribution, mask)
        Array(0.75, dtype=float32)

    References:
        Crabbe and van der Schaar (2021), *Explaining Time Series Predictions with
        Dynamic Masks*, arXiv:2106.05303, section 4.
    """
    return _area(attribution, mask, rule, precision=True)


def area_under_recall(
    attribution: PyTree, mask: PyTree[Bool[Array, "..."]], *, rule: Rule = "step"
) -> Scalar:
    r"""The recall of a threshold, averaged over thresholds.

    $$\int_0^1 \frac{|A \cap \hat{A}(\tau)|}{|A|} \, d\tau, \qquad
    \hat{A}(\tau) = \{i : m_i \ge \tau\}$$

    with `m` the attribution, scaled to run from 0 to 1. AUR: by `"step"`, the mean of
    `m` inside the mask and no more. A map that is thresholded first, or raised to a
    small power, scores higher with the same order, so it rewards contrast. Higher is
    better.

    Args:
        attribution: As `area_under_precision`.
        mask: As `area_under_precision`.
        rule: As `area_under_precision`.

    Returns:
        A scalar from 0 to 1. NaN if the mask is empty, all values are equal, or the
        attribution holds NaN.

    Raises:
        ValueError: If the mask does not fit the attribution.

    Example:
        >>> attribution, mask = jnp.array([0.0, 0.5, 1.0]), jnp.array([0, 1, 1])
        >>> area_under_recall(attribution, mask)
        Array(0.75, dtype=float32)

    References:
        Crabbe and van der Schaar (2021), arXiv:2106.05303, section 4.
    """
    return _area(attribution, mask, rule, precision=False)


def information(
    attribution: PyTree, mask: PyTree[Bool[Array, "..."]], *, eps: float = 1e-5
) -> Scalar:
    r"""How much a map says about the mask, if its values were probabilities.

    $$-\sum_{i \in M} \log_2 (1 - m_i + \epsilon)$$

    with `m` the attribution, scaled to run from 0 to 1. In bits, as in published
    tables; the paper writes natural logarithms. It grows with the size of the mask, and
    `eps` sets its scale: every value of 1 adds `-log2(eps)` bits. A map that is
    thresholded first beats every other; see `area_under_recall`. Higher is better.

    Args:
        attribution: As `area_under_precision`.
        mask: As `area_under_precision`.
        eps: What keeps the logarithm finite.

    Returns:
        A scalar. NaN if the mask is empty, all values are equal, or the attribution
        holds NaN.

    Raises:
        ValueError: If the mask does not fit the attribution, or `eps` is not positive.

    Example:
        >>> attribution, mask = jnp.array([0.0, 0.5, 1.0]), jnp.array([0, 1, 0])
        >>> information(attribution, mask).round(2)
        Array(1., dtype=float32)

    References:
        Crabbe and van der Schaar (2021), arXiv:2106.05303, section 3: mask information.
    """
    m, inside = _scaled(attribution, mask)
    _checks.positive("eps", eps)
    return _sum_inside(jnp.abs(jnp.log2(1 - m + eps)), inside)


def mask_entropy(
    attribution: PyTree, mask: PyTree[Bool[Array, "..."]], *, eps: float = 1e-5
) -> Scalar:
    r"""How undecided a map is inside the mask, if its values were probabilities.

    $$-\sum_{i \in M} m_i \log_2 (m_i + \epsilon) + (1 - m_i) \log_2 (1 - m_i +
    \epsilon)$$

    with `m` the attribution, scaled to run from 0 to 1. In bits, as in published
    tables; the paper writes natural logarithms. It grows with the size of the mask, and
    does not ask whether the decision is right: zeros inside the mask cost nothing.
    Lower is better.

    Args:
        attribution: As `area_under_precision`.
        mask: As `area_under_precision`.
        eps: What keeps the logarithm finite.

    Returns:
        A scalar. NaN if the mask is empty, all values are equal, or the attribution
        holds NaN.

    Raises:
        ValueError: If the mask does not fit the attribution, or `eps` is not positive.

    Example:
        >>> attribution, mask = jnp.array([0.0, 0.5, 1.0]), jnp.array([0, 1, 0])
        >>> mask_entropy(attribution, mask).round(2)
        Array(1., dtype=float32)

    References:
        Crabbe and van der Schaar (2021), arXiv:2106.05303, section 3: mask entropy.
    """
    m, inside = _scaled(attribution, mask)
    _checks.positive("eps", eps)
    bits = lambda p: p * jnp.abs(jnp.log2(p + eps))
    return _sum_inside(bits(m) + bits(1 - m), inside)


def _scaled(attribution: PyTree, mask: PyTree) -> tuple[Array, Array]:
    """The attribution from 0 to 1, and what is inside the mask."""
    phi, inside = masked(attribution, mask)
    low, high = phi.min(), phi.max()
    width = jnp.where(high > low, high - low, jnp.nan)  # NaN if either is
    return (phi - low) / width, inside


def _sum_inside(terms: Array, inside: Array) -> Array:
    total = jnp.sum(terms, where=inside)
    return poisoned(jnp.where(inside.any(), total, jnp.nan), terms)


def _area(attribution: PyTree, mask: PyTree, rule: Rule, *, precision: bool) -> Array:
    _checks.choice("rule", rule, get_args(Rule))
    m, inside = _scaled(attribution, mask)
    tau, count, hits = at_least(m, inside)
    heights = hits / (count if precision else inside.sum().astype(m.dtype))
    # Just below a threshold, what it lets pass is what it lets pass itself.
    left = heights[1:] if rule == "step" else (heights[1:] + heights[:-1]) / 2
    area = jnp.sum(jnp.diff(tau) * left)
    return poisoned(jnp.where(inside.any(), area, jnp.nan), m)
