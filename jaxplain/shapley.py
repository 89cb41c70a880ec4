"""Shapley values of a game between features."""

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike

from . import _checks, _regression, coalitions, games
from ._types import REQUIRED, Draw, Labels, PRNGKey, Sampled, ScalarFn, Ts, X


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
    their complements, which is exact for games of pairwise interactions once there are
    enough pairs. Every feature is kept: nothing is selected.

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
    _checks.count("num_samples", num_samples)
    _checks.sizes(num_groups, chunk_size)

    def explain(
        x: X,
        /,
        *args: *Ts,
        baseline: X | ArrayLike = REQUIRED,
        key: PRNGKey = REQUIRED,
        groups: Labels | None = None,
    ) -> Any:
        _checks.key(key, "kernel_shap")
        v, number, unflatten = games.players(
            "kernel_shap", f, x, args, baseline, groups, num_groups
        )
        draw, budget = _design(key, number, num_samples)

        def design(i: Array) -> Array:
            # First the empty and the full coalition, so that one loop traces `f` once.
            return jnp.where(i < 2, i == 1, draw(jnp.maximum(i - 2, 0)))

        values = games.evaluate(v, design, budget + 2, chunk_size)
        return unflatten(_fit(values, draw, number, budget, chunk_size))

    return explain


def _is_exhaustive(num_groups: int, num_samples: int) -> bool:
    return num_groups <= 31 and 2**num_groups - 2 <= num_samples


def _design(key: PRNGKey, num_groups: int, num_samples: int) -> tuple[Draw, int]:
    """Which coalitions to evaluate between the empty and the full one, and how many."""
    if _is_exhaustive(num_groups, num_samples):
        every = coalitions.exhaustive(num_groups)
        return lambda i: every(i + 1), 2**num_groups - 2
    least = 2 * (num_groups - 1)
    _checks.enough_samples("kernel_shap", num_samples, num_groups, least)
    # A coalition without its complement would bring the even part of the game back.
    return coalitions.paired(key, num_groups), num_samples - num_samples % 2


def _fit(
    values: Array, draw: Draw, num_groups: int, budget: int, chunk_size: int | None
) -> Array:
    """The values of least squares, constrained to sum to the difference of the ends."""
    empty, full = values[0], values[1]
    share = jnp.broadcast_to((full - empty) / num_groups, (num_groups,))
    if budget == 0:  # a single player takes it all
        return share
    exhaustive = budget == 2**num_groups - 2
    weight_of_size = jnp.asarray(_kernel(num_groups, exhaustive), values.dtype)

    def row(i: Array) -> tuple[Array, Array, Array]:
        mask = draw(i)
        size = mask.sum()
        rest = values[i + 2] - empty - size.astype(values.dtype) * share[0]
        # What is left to find sums to zero: project each row on that subspace, which
        # treats all players alike, where eliminating one of them would not.
        centred = mask.astype(values.dtype)
        return centred - centred.mean(), rest, weight_of_size[size]

    gram, moment = _regression.normal_equations(row, budget, chunk_size)
    rest, lost = _regression.minimum_norm(gram, moment)
    phi = share + rest - rest.mean()
    # The constraint takes care of one direction, the vector of ones, and of no other.
    determined = lost - 1 / num_groups < 0.01 / num_groups
    return jnp.where(determined, phi, jnp.nan)


def _kernel(num_groups: int, exhaustive: bool) -> np.ndarray:
    """The weight of each size: the Shapley kernel, unless coalitions follow it."""
    if not exhaustive:
        return np.ones(num_groups + 1)
    weights = np.zeros(num_groups + 1)
    for size in range(1, num_groups):
        ways = math.comb(num_groups, size) * size * (num_groups - size)
        weights[size] = (num_groups - 1) / ways
    return weights
