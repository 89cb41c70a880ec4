"""`f` as features are removed or inserted in order of attribution."""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, PyTree

from .. import _checks
from .._types import REQUIRED, Labels, Scalar, ScalarFn, Ts, X
from ..games import evaluate
from ._features import features
from ._ranks import Order, known_order, ranks
from ._types import Judge


class Curve(NamedTuple):
    """The value of `f` as features are removed or inserted, in order of attribution.

    Attributes:
        fraction: Share of the features treated so far, from 0 to 1, before their number
            is rounded; shape `(points,)`.
        value: `f` at each of them, in its own units; shape `(points,)`.
        area: Area under the curve by the trapezoid rule, over the length of the
            fractions, in the units of `f`.
    """

    fraction: Float[Array, " points"]
    value: Float[Array, " points"]
    area: Scalar


def deletion(
    f: ScalarFn[X, *Ts],
    *,
    steps: int | None = 16,
    order: Order = "highest",
    num_groups: int | None = None,
    chunk_size: int | None = None,
) -> Judge[X, *Ts, Curve]:
    """How `f` falls as the features with the highest attribution are removed first.

    Removed features take the value of the baseline. The lower the area, the better the
    ranking, for this baseline: inputs halfway are unlike any that the model has seen,
    so compare explainers on the same `f`, `x` and baseline only, and against a random
    order. Only the order counts: size and sign of the attributions are not judged.

    Args:
        f: Function that was explained.
        steps: Number of equal steps from no feature to all of them; with `None`, one
            step per feature. The number of features at each is rounded, which moves the
            area where there are few: take `None` there.
        order: With `"lowest"`, what matters least goes first, and the higher the area
            the better.
        num_groups: Number of groups, if features are removed in groups.
        chunk_size: Number of inputs evaluated at once; all of them by default.
            Peak memory follows it.

    Returns:
        `measure(x, *args, attribution, baseline)`, a `Curve`. The attribution has the
        structure of `x`, and the shape of each leaf, or of its leading axes: a map of
        `(height, width)` removes whole pixels. Equal attributions keep the order of the
        input; NaN goes last. With `num_groups`, the call takes `groups` as `game` does,
        and the attribution may also be a vector with an entry per group; otherwise it
        is summed over each group. Costs `steps + 1` evaluations of `f`.

    Raises:
        ValueError: If `steps` is below 1, `f` does not return a scalar, or
            `attribution`, `baseline` or `groups` do not fit `x`.
        TypeError: If `x` holds integers, or `baseline` is missing.

    Example:
        >>> x, f = jnp.array([1.0, 2.0, 4.0]), jnp.sum
        >>> curve = deletion(f, steps=3)(x, attribution=x, baseline=0.0)
        >>> curve.value, curve.area
        (Array([7., 3., 1., 0.], dtype=float32), Array(2.5, dtype=float32))

    References:
        Petsiuk, Das and Saenko (2018), *RISE*, arXiv:1806.07421: the deletion and
        insertion metrics.
        Samek et al. (2017), *Evaluating the Visualization of What a Deep Neural
        Network Has Learned*, arXiv:1509.06321: region perturbation.
    """
    left = lambda rank, count: rank >= count
    return _curve("deletion", f, steps, order, num_groups, chunk_size, left)


def insertion(
    f: ScalarFn[X, *Ts],
    *,
    steps: int | None = 16,
    order: Order = "highest",
    num_groups: int | None = None,
    chunk_size: int | None = None,
) -> Judge[X, *Ts, Curve]:
    """How `f` rises as the features with the highest attribution are inserted first.

    From the baseline to the input. The higher the area, the better the ranking; see
    `deletion` for what that does not say, and for the arguments. A blurred input for a
    baseline keeps what is halfway closer to what the model knows.

    Args:
        f: Function that was explained.
        steps: Number of equal steps from no feature to all of them; with `None`, one
            step per feature.
        order: With `"lowest"`, what matters least comes first, and the lower the area
            the better.
        num_groups: Number of groups, if features are inserted in groups.
        chunk_size: Number of inputs evaluated at once; all of them by default.
            Peak memory follows it.

    Returns:
        `measure(x, *args, attribution, baseline)`, a `Curve`; with `num_groups`, the
        call takes `groups`.

    Raises:
        ValueError: As `deletion`.
        TypeError: As `deletion`.

    Example:
        >>> x, f = jnp.array([1.0, 2.0, 4.0]), jnp.sum
        >>> insertion(f, steps=3)(x, attribution=x, baseline=0.0).value
        Array([0., 4., 6., 7.], dtype=float32)

    References:
        Petsiuk, Das and Saenko (2018), *RISE*, arXiv:1806.07421: the deletion and
        insertion metrics.
    """
    present = lambda rank, count: rank < count
    return _curve("insertion", f, steps, order, num_groups, chunk_size, present)


def _curve(
    who: str,
    f: ScalarFn[X, *Ts],
    steps: int | None,
    order: Order,
    num_groups: int | None,
    chunk_size: int | None,
    present: Callable[[Array, Array], Array],
) -> Judge[X, *Ts, Curve]:
    if steps is not None:
        _checks.count("steps", steps)
    known_order(order)
    _checks.sizes(num_groups, chunk_size)

    def measure(
        x: X,
        /,
        *args: *Ts,
        attribution: PyTree = REQUIRED,
        baseline: X | ArrayLike = REQUIRED,
        groups: Labels | None = None,
    ) -> Curve:
        judged = features(who, f, x, args, attribution, baseline, groups, num_groups)
        rank = ranks(judged.scores, order)
        number = judged.number
        fraction = np.linspace(0, 1, (number if steps is None else steps) + 1)
        counts = jnp.asarray(np.rint(fraction * number).astype(np.int32))
        design = lambda i: present(rank, counts[i])
        values = evaluate(judged.value, design, fraction.size, chunk_size)
        area = (values[:-1] + values[1:]).mean() / 2
        return Curve(jnp.asarray(fraction, values.dtype), values, area)

    return measure
