"""Shapley values by linear regression on coalitions."""

from .._types import Sampled, ScalarFn, Ts, X
from . import _methods


def kernel_shap(
    f: ScalarFn[X, *Ts],
    *,
    num_samples: int = 2048,
    num_groups: int | None = None,
    chunk_size: int | None = None,
) -> Sampled[X, *Ts]:
    r"""Shapley values by weighted least squares over coalitions.

    $$\min_{\phi} \sum_{S} \frac{d - 1}{\binom{d}{|S|}\, |S|\, (d - |S|)}
    \left(v(S) - v(\emptyset) - \sum_{i \in S} \phi_i\right)^2
    \quad \text{such that} \quad \sum_i \phi_i = v(N) - v(\emptyset)$$

    Efficient: the values always sum to `f(x) - f(b)`. Exact, by enumeration, where the
    budget covers all `2 ** d - 2` coalitions; otherwise these are drawn in pairs with
    their complements, without replacement, which is exact for games of pairwise
    interactions once there are enough pairs. Every feature is kept: nothing is
    selected. `gp_shap` is as good or better for as many evaluations; this one is
    linear in `f`.

    A Shapley value averages over every coalition, so if one value of `f` is not finite,
    all values are NaN. A value that the drawn coalitions do not determine is NaN too:
    take several samples per feature.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        num_samples: Number of coalitions between the empty and the full one. If they
            are sampled, `2 * (d - 1)` is the least, and seldom enough.
        num_groups: Number of groups $d$; leave out to value each entry of `x`.
        chunk_size: Number of coalitions evaluated at once; all of them by default.
            Peak memory follows it.

    Returns:
        `explain(x, *args, baseline, key, groups=None)`, in the units of `f`: shape
        `(num_groups,)` with groups, shaped like `x` without. See `game` for `baseline`
        and `groups`. Costs at most `num_samples + 2` evaluations of `f`, and one
        eigendecomposition of a matrix with one row per feature.

    Raises:
        ValueError: If `num_samples` is too small, `f` does not return a scalar, or
            `baseline` or `groups` do not fit `x`.
        TypeError: If `x` holds integers, or `key` or `baseline` is missing.

    Example:
        >>> explain = kernel_shap(lambda x: x[0] * x[1] + x[2])
        >>> explain(jnp.array([2.0, 3.0, 5.0]), baseline=0.0, key=jax.random.key(0))
        Array([3., 3., 5.], dtype=float32)

    References:
        Lundberg and Lee (2017), *A Unified Approach to Interpreting Model Predictions*,
        arXiv:1705.07874, theorem 2.
        Covert and Lee (2021), *Improving KernelSHAP*, arXiv:2012.01536: paired
        sampling, and the solution under the constraint.
    """
    return _methods.values(
        "kernel_shap",
        _methods.METHODS["kernel"],
        f,
        num_samples,
        num_groups,
        chunk_size,
    )


def leverage_shap(
    f: ScalarFn[X, *Ts],
    *,
    num_samples: int = 2048,
    num_groups: int | None = None,
    chunk_size: int | None = None,
) -> Sampled[X, *Ts]:
    r"""Shapley values by least squares over coalitions drawn by their leverage.

    The regression of `kernel_shap`, with as many coalitions of one size as of another:
    the leverage of a coalition of size $s$ is $1 / \binom{d}{s}$, and drawing rows in
    proportion to their leverage bounds the error of a regression by that of its best
    fit, whatever the game. Efficient, linear in `f`, and exact where `kernel_shap` is.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        num_samples: Number of coalitions between the empty and the full one. If they
            are sampled, `2 * (d - 1)` is the least, and seldom enough.
        num_groups: Number of groups $d$; leave out to value each entry of `x`.
        chunk_size: Number of coalitions evaluated at once; all of them by default.
            Peak memory follows it.

    Returns:
        `explain(x, *args, baseline, key, groups=None)`, as `kernel_shap`.

    Raises:
        ValueError: As `kernel_shap`.
        TypeError: As `kernel_shap`.

    Example:
        >>> explain = leverage_shap(lambda x: x[0] * x[1] + x[2])
        >>> explain(jnp.array([2.0, 3.0, 5.0]), baseline=0.0, key=jax.random.key(0))
        Array([3., 3., 5.], dtype=float32)

    References:
        Musco and Witter (2025), *Provably Accurate Shapley Value Estimation via
        Leverage Score Sampling*, arXiv:2410.01917, algorithm 1.
    """
    return _methods.values(
        "leverage_shap",
        _methods.METHODS["leverage"],
        f,
        num_samples,
        num_groups,
        chunk_size,
    )


def msr_shap(
    f: ScalarFn[X, *Ts],
    *,
    num_samples: int = 2048,
    num_groups: int | None = None,
    chunk_size: int | None = None,
) -> Sampled[X, *Ts]:
    r"""Shapley values of a regression, corrected by its residual on other coalitions.

    $$\hat\phi_i = \phi_i(\hat v) + \sum_{S \ni i} \frac{r(S)}{d\,
    \binom{d - 1}{|S| - 1}\, p_S} - \sum_{S \not\ni i} \frac{r(S)}{d\,
    \binom{d - 1}{|S|}\, p_S}, \qquad r = v - \hat v$$

    Each coalition $S$, drawn with probability $p_S$, corrects a linear game $\hat v$
    that was fitted without it, so the sum is an estimate of what that game leaves out,
    and nearly an unbiased one ("maximum sample reuse": every sample serves every
    player). Efficient, and linear in `f`. More robust than `leverage_shap` where a
    linear game fits badly, and seldom better where it fits well.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        num_samples: Number of coalitions between the empty and the full one. If they
            are sampled, `3 * (d - 1)` is the least, and seldom enough.
        num_groups: Number of groups $d$; leave out to value each entry of `x`.
        chunk_size: Number of coalitions evaluated at once; all of them by default.
            Peak memory follows it.

    Returns:
        `explain(x, *args, baseline, key, groups=None)`, as `kernel_shap`.

    Raises:
        ValueError: As `kernel_shap`.
        TypeError: As `kernel_shap`.

    Example:
        >>> explain = msr_shap(lambda x: x[0] * x[1] + x[2])
        >>> explain(jnp.array([2.0, 3.0, 5.0]), baseline=0.0, key=jax.random.key(0))
        Array([3., 3., 5.], dtype=float32)

    References:
        Witter, Liu and Musco (2025), *Regression-Adjusted Monte Carlo Estimators for
        Shapley Values and Probabilistic Values*, arXiv:2506.11849, section 3.
    """
    return _methods.values(
        "msr_shap", _methods.METHODS["msr"], f, num_samples, num_groups, chunk_size
    )
