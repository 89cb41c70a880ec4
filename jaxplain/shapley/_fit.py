"""Estimates that know their error."""

from typing import get_args

from .. import _checks
from .._types import ScalarFn, Ts, X
from . import _methods
from ._sample import Estimated


def shapley_fit(
    f: ScalarFn[X, *Ts],
    *,
    method: _methods.Name = "gp",
    num_samples: int = 512,
    num_groups: int | None = None,
    chunk_size: int | None = None,
) -> Estimated[X, *Ts]:
    r"""Shapley values with their standard errors.

    The values are those of the explainer that is named like the method, for the same
    key. Nine times in ten or more, the true value is within two standard errors; on
    some games with strong interactions of many features, and few evaluations, less
    often. The error is that of the draw of coalitions: of the model, and of the
    baseline, it says nothing.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        method: `"gp"`, the posterior deviation of `gp_shap`, and
            `"gp_per_player"`, with a rate for each feature; `"leverage"` or
            `"kernel"`, sandwich errors of the regression over pairs (HC3, with the
            correction for a finite population); `"msr"`, the deviation of the
            residuals; `"permutation"`, that of pairs of orders.
        num_samples: Number of coalitions between the empty and the full one. Where it
            covers all of them, the values are exact and the errors 0.
        num_groups: Number of groups; leave out to value each entry of `x`.
        chunk_size: Number of coalitions evaluated at once; all of them by default.

    Returns:
        `fit(x, *args, baseline, key, groups=None)`, which returns an `Estimate` of
        `values`, `standard_error` and `evaluations`. Costs what the explainer costs.

    Raises:
        ValueError: If the method is unknown, and as `kernel_shap`.
        TypeError: As `kernel_shap`.

    Example:
        >>> fit = shapley_fit(lambda x: x[0] * x[1] + x[2])
        >>> found = fit(jnp.array([2.0, 3.0, 5.0]), baseline=0.0, key=jax.random.key(0))
        >>> found.values, found.standard_error
        (Array([3., 3., 5.], dtype=float32), Array([0., 0., 0.], dtype=float32))
        >>> found.evaluations
        Array(8, dtype=int32)

    References:
        MacKinnon and White (1985) for HC3; Cochran (1977), *Sampling Techniques*,
        section 2.6, for the finite population. Others: see the explainers.
    """
    _checks.choice("method", method, get_args(_methods.Name))
    return _methods.fitted(
        "shapley_fit", _methods.METHODS[method], f, num_samples, num_groups, chunk_size
    )
