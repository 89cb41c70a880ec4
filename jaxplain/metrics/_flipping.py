"""Relatives of `deletion`: one feature at a time, or one region."""

import jax.numpy as jnp
from jaxtyping import ArrayLike, PyTree

from .. import _checks
from .._types import REQUIRED, Labels, Scalar, ScalarFn, Ts, X
from ..games import evaluate
from ._curves import Curve, deletion
from ._features import features
from ._ranks import Order, known_order, ranks
from ._types import Judge


def pixel_flipping(
    f: ScalarFn[X, *Ts], *, order: Order = "highest", chunk_size: int | None = None
) -> Judge[X, *Ts, Curve]:
    """How `f` falls as features are flipped one at a time, the highest first.

    `deletion` with a step per feature; the value that a flipped feature takes is the
    `baseline`. For binary pixels, as in the paper, pass `baseline=1.0 - x`. See
    `deletion` for what the curve cannot tell.

    Args:
        f: Function that was explained.
        order: With `"lowest"`, what matters least is flipped first.
        chunk_size: Number of inputs evaluated at once; all of them by default.
            Peak memory follows it.

    Returns:
        `measure(x, *args, attribution, baseline)`, a `Curve`. Costs one evaluation of
        `f` per entry of the attribution, and one more.

    Raises:
        ValueError: As `deletion`.
        TypeError: As `deletion`.

    Example:
        >>> x = jnp.array([1.0, 0.0, 1.0])
        >>> measure = pixel_flipping(lambda x: x @ jnp.array([1.0, 2.0, 4.0]))
        >>> measure(x, attribution=jnp.array([1.0, 2.0, 3.0]), baseline=1.0 - x).value
        Array([5., 1., 3., 2.], dtype=float32)

    References:
        Bach et al. (2015), *On Pixel-Wise Explanations for Non-Linear Classifier
        Decisions by Layer-Wise Relevance Propagation*, PLOS ONE 10(7): e0130140, the
        section on pixel-flipping.
    """
    return deletion(f, steps=None, order=order, chunk_size=chunk_size)


def region_perturbation(
    f: ScalarFn[X, *Ts],
    *,
    num_groups: int | None = None,
    num_removed: int | None = None,
    order: Order = "highest",
    chunk_size: int | None = None,
) -> Judge[X, *Ts, Scalar]:
    r"""The mean drop of `f` as regions are removed one by one, the highest first.

    $$\frac{1}{L + 1} \sum_{k=0}^{L} \left(f(x) - f(x^{(k)})\right)$$

    where $x^{(k)}$ lacks the first $k$ regions: the area over the perturbation curve,
    AOPC, of one input. The higher, the better the ranking. In the units of `f`, so
    average it over inputs only where these are comparable, such as probabilities. The
    paper's regions are patches of 9 by 9 pixels that turn into uniform noise, which is
    `groups.patches` and `baselines.noise` here, and its curves stop after 100 of them.
    What is removed leaves the distribution of the data all the same: see `road`.

    Args:
        f: Function that was explained.
        num_groups: Number of regions, such as patches or superpixels; by default every
            entry of the attribution is a region of its own.
        num_removed: How many regions to remove, $L$; all of them by default.
        order: With `"lowest"`, what matters least goes first, and the lower the better.
        chunk_size: Number of inputs evaluated at once; all of them by default.
            Peak memory follows it.

    Returns:
        `measure(x, *args, attribution, baseline, groups)`, a scalar; the attribution
        is as for `deletion`. Costs `num_removed + 1` evaluations of `f`.

    Raises:
        ValueError: If `num_removed` is below 1 or above the number of regions, or as
            `deletion`.
        TypeError: As `deletion`.

    Example:
        >>> measure = region_perturbation(jnp.sum, num_groups=2)
        >>> x, labels = jnp.array([1.0, 2.0, 4.0]), np.array([0, 0, 1])
        >>> measure(x, attribution=x, baseline=0.0, groups=labels)
        Array(3.66, dtype=float32)

    References:
        Samek, Binder, Montavon, Lapuschkin and Müller (2017), *Evaluating the
        Visualization of What a Deep Neural Network Has Learned*, arXiv:1509.06321,
        equation 12.
    """
    _checks.sizes(num_groups, chunk_size)
    known_order(order)
    if num_removed is not None:
        _checks.count("num_removed", num_removed)

    def measure(
        x: X,
        /,
        *args: *Ts,
        attribution: PyTree = REQUIRED,
        baseline: X | ArrayLike = REQUIRED,
        groups: Labels | None = None,
    ) -> Scalar:
        judged = features(
            "region_perturbation",
            f,
            x,
            args,
            attribution,
            baseline,
            groups,
            num_groups,
        )
        last = judged.number if num_removed is None else num_removed
        if last > judged.number:
            raise ValueError(
                f"`num_removed` must be at most the number of regions, {judged.number},"
                f" but is {last}. Leave it out to remove all of them."
            )
        rank = ranks(judged.scores, order)
        design = lambda k: rank >= k.astype(rank.dtype)
        values = evaluate(judged.value, design, last + 1, chunk_size)
        return jnp.mean(values[0] - values)

    return measure
