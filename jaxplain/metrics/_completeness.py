"""Does an attribution sum to what it explains?"""

from jaxtyping import ArrayLike, PyTree

from .. import _checks, _tree
from .._types import REQUIRED, Gap, Scalar, ScalarFn, Ts, X


def completeness_gap(f: ScalarFn[X, *Ts]) -> Gap[X, *Ts]:
    r"""What an attribution claims beyond the difference that it explains.

    $$\sum_i \phi_i - \left(f(x) - f(b)\right)$$

    Zero for a complete explainer, up to its numerical error. A small gap does not make
    an attribution right: rescaling closes it without moving any feature. Signed, and
    in the units of `f`; a relative gap means little where `f(x)` is close to `f(b)`.

    Args:
        f: Function that was explained.

    Returns:
        `measure(x, *args, attribution, baseline)`, a scalar. The attribution may have
        any structure, such as one entry per group. Costs two evaluations of `f`.

    Raises:
        ValueError: If `f` does not return a scalar, or `baseline` does not fit `x`.
        TypeError: If `x` holds integers, or `baseline` is missing.

    Example:
        >>> f = lambda x: x[0] * x[1]
        >>> x = jnp.array([2.0, 3.0])
        >>> gradient_times_input = jnp.array([6.0, 6.0])
        >>> completeness_gap(f)(x, attribution=gradient_times_input, baseline=0.0)
        Array(6., dtype=float32)

    References:
        Sundararajan, Taly and Yan (2017), arXiv:1703.01365, proposition 1.
    """

    def measure(
        x: X,
        /,
        *args: *Ts,
        attribution: PyTree = REQUIRED,
        baseline: X | ArrayLike = REQUIRED,
    ) -> Scalar:
        x = _checks.inputs(x)
        start = _checks.baseline(baseline, x)
        value = _checks.scalar(f)
        full, empty = value(x, *args), value(start, *args)
        wide = _tree.accumulator(full.dtype)
        claimed = _tree.total(_checks.given(attribution)).astype(wide)
        return claimed - (full.astype(wide) - empty.astype(wide))

    return measure
