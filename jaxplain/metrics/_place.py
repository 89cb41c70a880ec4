"""Does an attribution lie where the cause is known to be?"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, PyTree

from .. import _checks
from .._types import Scalar
from ._ties import at_least, centred_ranks, top
from ._vectors import masked, poisoned


def pointing_game(
    attribution: PyTree, mask: PyTree[Bool[Array, "..."]], *, margin: int = 0
) -> Scalar:
    r"""Is the highest attribution inside the mask?

    $$\mathbb{1}\left[\arg\max_i \phi_i \in M\right]$$

    Its mean over examples is the pointing accuracy. Only one entry counts: it cannot
    tell a map that fills the object from a single lucky pixel. Where several entries
    are the highest, the share of them that is inside: a map that is zero everywhere
    scores as chance does. Sums over the axes that the mask does not have; higher is
    better.

    Args:
        attribution: Attribution, any pytree. Signed: only the highest value counts.
        mask: Where the cause is, nonzero inside: the same pytree, each leaf with the
            shape of the attribution or of its leading axes.
        margin: How many entries outside the mask still count as inside, along every
            axis of the mask.

    Returns:
        0 or 1, or between for ties. NaN if the mask is empty, or the attribution holds
        NaN.

    Raises:
        ValueError: If the mask does not fit the attribution, or `margin` is negative.

    Example:
        >>> attribution = jnp.array([0.1, 0.7, 0.2])
        >>> pointing_game(attribution, jnp.array([False, True, True]))
        Array(1., dtype=float32)

    References:
        Zhang, Bargal, Lin, Brandt, Shen and Sclaroff (2018), *Top-Down Neural Attention
        by Excitation Backprop*, arXiv:1608.00507, section 4.1; a margin of 15 pixels.
    """
    _checks.count("margin", margin, 0)
    phi, inside = masked(attribution, mask)
    near = inside if margin == 0 else masked(attribution, _widened(mask, margin))[1]
    share = jnp.mean(near.astype(phi.dtype), where=phi == phi.max())
    return poisoned(jnp.where(inside.any(), share, jnp.nan), phi)


def _widened(mask: PyTree, margin: int) -> PyTree:
    def widen(leaf: Array) -> Array:
        leaf = jnp.asarray(leaf).astype(bool).astype(jnp.float32)
        window, strides = (2 * margin + 1,) * leaf.ndim, (1,) * leaf.ndim
        return jax.lax.reduce_window(
            leaf, np.float32(0), jax.lax.max, window, strides, "SAME"
        )

    return jax.tree.map(widen, mask)


def relevance_mass(attribution: PyTree, mask: PyTree[Bool[Array, "..."]]) -> Scalar:
    r"""The share of the positive attribution that is inside the mask.

    $$\frac{\sum_{i \in M} \max(\phi_i, 0)}{\sum_i \max(\phi_i, 0)}$$

    Between 0 and 1; a map spread evenly has the share of the mask in the input, so
    compare with that. Negative attribution counts as none: a signed sum could exceed 1.
    A few large values decide. Higher is better.

    Args:
        attribution: Attribution, any pytree, summed over the axes that the mask does
            not have.
        mask: Where the cause is, nonzero inside: the same pytree, each leaf with the
            shape of the attribution or of its leading axes.

    Returns:
        A scalar. NaN if the mask is empty, nothing is positive, or the attribution
        holds NaN.

    Raises:
        ValueError: If the mask does not fit the attribution.

    Example:
        >>> relevance_mass(jnp.array([1.0, 3.0, -2.0]), jnp.array([0, 1, 1]))
        Array(0.75, dtype=float32)

    References:
        Arras, Osman and Samek (2022), *CLEVR-XAI*, arXiv:2003.07258, relevance mass
        accuracy.
    """
    phi, inside = masked(attribution, mask)
    positive = jnp.maximum(phi, 0)  # which keeps NaN
    share = jnp.sum(jnp.where(inside, positive, 0)) / jnp.sum(positive)
    return poisoned(jnp.where(inside.any(), share, jnp.nan), phi)


def relevance_rank(attribution: PyTree, mask: PyTree[Bool[Array, "..."]]) -> Scalar:
    r"""The share of the highest attributions that is inside the mask.

    $$\frac{|\mathrm{top}_k(\phi) \cap M|}{k}, \qquad k = |M|$$

    Precision, and recall, at the size of the mask. It depends on the order alone, and
    knows nothing of how high the values are; chance is the share of the mask in the
    input. Equal values share the places that are left to them. Higher is better.

    Args:
        attribution: Attribution, any pytree, summed over the axes that the mask does
            not have.
        mask: Where the cause is, nonzero inside: the same pytree, each leaf with the
            shape of the attribution or of its leading axes.

    Returns:
        A scalar from 0 to 1. NaN if the mask is empty, or the attribution holds NaN.

    Raises:
        ValueError: If the mask does not fit the attribution.

    Example:
        >>> relevance_rank(jnp.array([0.9, 0.1, 0.5, 0.3]), jnp.array([1, 1, 0, 0]))
        Array(0.5, dtype=float32)

    References:
        Arras, Osman and Samek (2022), *CLEVR-XAI*, arXiv:2003.07258, relevance rank
        accuracy.
        Clark, Wilming and Haufe (2023), *XAI-TRIS*, arXiv:2306.12816: precision.
    """
    phi, inside = masked(attribution, mask)
    size = inside.sum()
    common = jnp.sum(top(phi, size), where=inside)
    return poisoned(common / size.astype(phi.dtype), phi)


def iou(
    attribution: PyTree,
    mask: PyTree[Bool[Array, "..."]],
    *,
    threshold: float | None = None,
) -> Scalar:
    r"""Intersection over union of the mask and the highest attributions.

    $$\frac{|A \cap M|}{|A \cup M|}$$

    By default `A` holds as many entries as the mask, which makes it a function of
    `relevance_rank` alone, `r / (2 - r)`. With a threshold, it also depends on how the
    values are spread: squaring a map changes it. Higher is better.

    Args:
        attribution: Attribution, any pytree, summed over the axes that the mask does
            not have.
        mask: Where the cause is, nonzero inside: the same pytree, each leaf with the
            shape of the attribution or of its leading axes.
        threshold: `A` holds the entries of at least this share of the highest, such as
            0.2; by default the highest `|M|`.

    Returns:
        A scalar from 0 to 1. NaN if the mask is empty, the attribution holds NaN, or
        nothing is positive and there is a threshold.

    Raises:
        ValueError: If the mask does not fit the attribution, or the threshold is not
            positive.

    Example:
        >>> iou(jnp.array([0.9, 0.1, 0.5, 0.3]), jnp.array([1, 1, 0, 0]))
        Array(0.33, dtype=float32)

    References:
        Zhou, Khosla, Lapedriza, Oliva and Torralba (2016), arXiv:1512.04150, section
        3.2: a threshold of 0.2.
    """
    phi, inside = masked(attribution, mask)
    if threshold is None:
        chosen = top(phi, inside.sum())
    else:
        _checks.positive("threshold", threshold)
        highest = jnp.where(phi.max() > 0, phi.max(), jnp.nan)
        chosen = (phi >= threshold * highest).astype(phi.dtype)
        chosen = chosen + 0 * highest
    common = jnp.sum(chosen, where=inside)
    size = inside.sum().astype(phi.dtype)
    overlap = common / (jnp.sum(chosen) + size - common)
    return poisoned(jnp.where(size > 0, overlap, jnp.nan), phi)


def roc_auc(attribution: PyTree, mask: PyTree[Bool[Array, "..."]]) -> Scalar:
    r"""The chance that an entry inside the mask has a higher attribution than outside.

    $$P(\phi_i > \phi_j) + \tfrac{1}{2} P(\phi_i = \phi_j), \qquad i \in M, j \notin M$$

    The area under the ROC curve: 1 is perfect, 1/2 is chance. It depends on the order
    alone. Where the mask is small, a good area can hide a bad top of the list: see
    `average_precision`.

    Args:
        attribution: Attribution, any pytree, summed over the axes that the mask does
            not have.
        mask: Where the cause is, nonzero inside: the same pytree, each leaf with the
            shape of the attribution or of its leading axes.

    Returns:
        A scalar from 0 to 1. NaN if the mask is empty or full, or the attribution holds
        NaN.

    Raises:
        ValueError: If the mask does not fit the attribution.

    Example:
        >>> roc_auc(jnp.array([0.9, 0.1, 0.5, 0.3]), jnp.array([1, 0, 0, 1]))
        Array(0.75, dtype=float32)

    References:
        Hanley and McNeil (1982), *The Meaning and Use of the Area under a Receiver
        Operating Characteristic Curve*.
    """
    phi, inside = masked(attribution, mask)
    number = inside.sum().astype(phi.dtype)
    ranks = jnp.mean(centred_ranks(phi), where=inside)
    return poisoned(0.5 + ranks / (phi.size - number), phi)


def average_precision(attribution: PyTree, mask: PyTree[Bool[Array, "..."]]) -> Scalar:
    r"""The precision of a threshold at each entry inside the mask, on average.

    $$\frac{1}{|M|} \sum_{i \in M}
    \frac{|\{j \in M : \phi_j \ge \phi_i\}|}{|\{j : \phi_j \ge \phi_i\}|}$$

    The area under the curve of precision and recall, as a sum of steps. It depends on
    the order alone, and on the top of it most. Chance is the share of the mask in the
    input, so masks of different sizes are not comparable. Higher is better.

    Args:
        attribution: Attribution, any pytree, summed over the axes that the mask does
            not have.
        mask: Where the cause is, nonzero inside: the same pytree, each leaf with the
            shape of the attribution or of its leading axes.

    Returns:
        A scalar from 0 to 1. NaN if the mask is empty, or the attribution holds NaN.

    Raises:
        ValueError: If the mask does not fit the attribution.

    Example:
        >>> average_precision(jnp.array([0.9, 0.1, 0.5, 0.3]), jnp.array([1, 0, 0, 1]))
        Array(0.83, dtype=float32)

    References:
        Davis and Goadrich (2006), *The Relationship Between Precision-Recall and ROC
        Curves*.
    """
    phi, inside = masked(attribution, mask)
    _, count, hits = at_least(phi, inside)
    # What an entry adds to the hits is 1 inside the mask, and 0 outside.
    within = inside[jnp.argsort(phi)]
    return poisoned(jnp.mean(hits / count, where=within), phi)
