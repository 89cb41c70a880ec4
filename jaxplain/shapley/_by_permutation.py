"""Shapley values by random orders of the features."""

from .._types import Sampled, ScalarFn, Ts, X
from . import _methods


def permutation_shap(
    f: ScalarFn[X, *Ts],
    *,
    num_samples: int = 2048,
    num_groups: int | None = None,
    chunk_size: int | None = None,
) -> Sampled[X, *Ts]:
    r"""What each feature adds when it comes, on average over random orders.

    $$\hat\phi_i = \frac{1}{m} \sum_{\pi} v(\pi_{\le i}) - v(\pi_{< i})$$

    Orders come in pairs, each with its reverse. Unbiased, efficient in every order, and
    exact for games of pairwise interactions from the first pair on. No regression, so
    no feature is ever undetermined; `gp_shap` and `leverage_shap` need fewer
    evaluations for the same error.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        num_samples: Number of coalitions between the empty and the full one, at least
            `2 * (d - 1)`, which is one pair of orders; what is left over from whole
            pairs is not used.
        num_groups: Number of groups $d$; leave out to value each entry of `x`.
        chunk_size: Number of coalitions evaluated at once; all of them by default.
            Peak memory follows it.

    Returns:
        `explain(x, *args, baseline, key, groups=None)`, as `kernel_shap`. Costs at most
        `num_samples + 2` evaluations of `f`.

    Raises:
        ValueError: As `kernel_shap`.
        TypeError: As `kernel_shap`.

    Example:
        >>> explain = permutation_shap(lambda x: x[0] * x[1] + x[2])
        >>> explain(jnp.array([2.0, 3.0, 5.0]), baseline=0.0, key=jax.random.key(0))
        Array([3., 3., 5.], dtype=float32)

    References:
        Castro, Gomez and Tejada (2009), *Polynomial Calculation of the Shapley Value
        Based on Sampling*, algorithm 1.
        Mitchell, Cooper, Frank and Holmes (2022), *Sampling Permutations for Shapley
        Value Estimation*, arXiv:2104.12199, section 2.3.
    """
    return _methods.values(
        "permutation_shap",
        _methods.METHODS["permutation"],
        f,
        num_samples,
        num_groups,
        chunk_size,
    )
