"""Values of features that come in unions, or unions of unions, by random orders."""

from collections.abc import Sequence

import numpy as np

from .. import _checks
from .._types import Sampled, ScalarFn, Ts, X
from . import _methods, _permutations


def owen_shap(
    f: ScalarFn[X, *Ts],
    *,
    unions: Sequence[int] | np.ndarray | Sequence[Sequence[int]],
    num_samples: int = 2048,
    num_groups: int | None = None,
    chunk_size: int | None = None,
) -> Sampled[X, *Ts]:
    r"""What each feature adds, on average over the orders that keep unions together.

    As `permutation_shap`, but all members of a union come one after the other; `unions`
    of unions, from coarse to fine, nest. Unbiased for `owen_values`, and efficient in
    every order; the values of a union sum to that of the union as one player.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        unions: The union of each player, integers from 0; or several such lists, from
            coarse to fine.
        num_samples: Number of coalitions between the empty and the full one, at least
            `2 * (d - 1)`.
        num_groups: Number of groups $d$; leave out to value each entry of `x`.
        chunk_size: Number of coalitions evaluated at once; all of them by default.

    Returns:
        `explain(x, *args, baseline, key, groups=None)`, as `kernel_shap`.

    Raises:
        ValueError: If `unions` is not one label per player, and as `kernel_shap`.
        TypeError: As `kernel_shap`.

    Example:
        >>> f = lambda x: x[0] * x[1] + x[2]
        >>> explain = owen_shap(f, unions=[0, 0, 1], num_samples=8)
        >>> explain(jnp.array([2.0, 3.0, 5.0]), baseline=0.0, key=jax.random.key(0))
        Array([3., 3., 5.], dtype=float32)

    References:
        Owen (1977), *Values of Games with a Priori Unions*, section 3.
        Winter (1989), *A Value for Cooperative Games with Levels Structure of
        Cooperation*, for unions of unions.
    """
    levels = _checks.union_levels(unions)

    def least(d: int) -> int:
        for labels in levels:
            _checks.one_union_each(labels, d)
        return 2 * (d - 1)

    method = _methods.Method(
        _permutations.design(levels), _permutations.mean_gains, least, enumerates=False
    )
    return _methods.values("owen_shap", method, f, num_samples, num_groups, chunk_size)
