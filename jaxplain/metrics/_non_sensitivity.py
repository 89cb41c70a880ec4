"""Does an attribution name the features that matter at all?"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Bool, Int, PyTree

from .. import _checks
from .._types import REQUIRED, Labels, ScalarFn, Ts, X
from ._faithfulness import drops_without
from ._features import features
from ._types import Judge


class NonSensitivity(NamedTuple):
    """How many features the attribution is wrong about; the paper's value is the sum.

    Attributes:
        missed: Features without attribution, of which `f` depends on each.
        invented: Features with an attribution, of which `f` depends on none.
    """

    missed: Int[Array, ""]
    invented: Int[Array, ""]


def non_sensitivity(
    f: ScalarFn[X, *Ts],
    *,
    tolerance: float = 1e-5,
    num_groups: int | None = None,
    chunk_size: int | None = None,
) -> Judge[X, *Ts, NonSensitivity]:
    r"""Count features with effect and no attribution, and the reverse.

    $$|A_0 \,\triangle\, X_0|, \qquad A_0 = \{i : \phi_i = 0\}, \quad
    X_0 = \{i : f(x_{i \to b}) = f(x)\}$$

    Zero for both if an explainer respects dummies and `f` has no interactions. It says
    nothing of how much: one stray pixel of `1e-4` of the largest counts like any other,
    so a dense map fails wherever `f` is blind. A feature of which others repeat the
    evidence has no effect alone, though it may deserve credit.

    Args:
        f: Function that was explained.
        tolerance: What counts as zero: at most this share of the largest absolute
            attribution, and of the largest absolute effect.
        num_groups: Number of groups, if features are removed in groups.
        chunk_size: Number of inputs evaluated at once; all of them by default.
            Peak memory follows it.

    Returns:
        `measure(x, *args, attribution, baseline)`, a `NonSensitivity`; the attribution
        and `groups` are as for `deletion`. NaN is no zero. Costs one evaluation of `f`
        per feature, and one more.

    Raises:
        ValueError: If `tolerance` is negative, or as `deletion`.
        TypeError: As `deletion`.

    Example:
        >>> measure = non_sensitivity(lambda x: x[0] + x[1])
        >>> attribution = jnp.array([1.0, 0.0, 0.5])
        >>> measure(jnp.ones(3), attribution=attribution, baseline=0.0)
        NonSensitivity(missed=Array(1, dtype=int32), invented=Array(1, dtype=int32))

    References:
        Nguyen and Martínez (2020), *On Quantitative Aspects of Model Interpretability*,
        arXiv:2007.07584.
    """
    _checks.positive("tolerance", tolerance, zero=True)
    _checks.sizes(num_groups, chunk_size)

    def measure(
        x: X,
        /,
        *args: *Ts,
        attribution: PyTree = REQUIRED,
        baseline: X | ArrayLike = REQUIRED,
        groups: Labels | None = None,
    ) -> NonSensitivity:
        judged = features(
            "non_sensitivity", f, x, args, attribution, baseline, groups, num_groups
        )
        silent = _is_zero(judged.scores, tolerance)
        idle = _is_zero(drops_without(judged, chunk_size), tolerance)
        count = lambda which: which.sum(dtype=jnp.int32)
        return NonSensitivity(count(silent & ~idle), count(~silent & idle))

    return measure


def _is_zero(values: Array, tolerance: float) -> Bool[Array, " number"]:
    size = jnp.abs(values)
    finite = jnp.where(jnp.isfinite(size), size, 0)
    return size <= tolerance * finite.max()
