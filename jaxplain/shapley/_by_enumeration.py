"""Values from every coalition."""

from typing import Any

from jaxtyping import ArrayLike

from .. import _checks, games
from .._types import REQUIRED, Grouped, Labels, ScalarFn, Ts, X
from . import _semivalues
from ._exact import exact
from ._sample import every_coalition, observe

MOST = 25
"""Players of a game to enumerate: 33 million coalitions."""


def shapley_values(
    f: ScalarFn[X, *Ts],
    *,
    num_groups: int | None = None,
    chunk_size: int | None = None,
) -> Grouped[X, *Ts]:
    r"""The Shapley values, exactly: every coalition of the features is evaluated.

    $$\phi_i = \sum_{S \not\ni i} \frac{|S|!\,(d - |S| - 1)!}{d!}
    \left(v(S \cup i) - v(S)\right)$$

    The only values that are efficient (they sum to `f(x) - f(b)`), symmetric, linear in
    `f`, and zero for features without effect.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        num_groups: Number of groups $d$, at most 25; leave out to value each entry of
            `x`.
        chunk_size: Number of coalitions evaluated at once; all of them by default.
            Peak memory follows it, and one number per coalition.

    Returns:
        `explain(x, *args, baseline, groups=None)`, in the units of `f`: shape
        `(num_groups,)` with groups, shaped like `x` without. See `game` for `baseline`
        and `groups`. Costs `2 ** d` evaluations of `f`.

    Raises:
        ValueError: If there are more than 25 features, `f` does not return a scalar, or
            `baseline` or `groups` do not fit `x`.
        TypeError: If `x` holds integers, or `baseline` is missing.

    Example:
        >>> explain = shapley_values(lambda x: x[0] * x[1] + x[2])
        >>> explain(jnp.array([2.0, 3.0, 5.0]), baseline=0.0)
        Array([3., 3., 5.], dtype=float32)

    References:
        Shapley (1953), *A Value for n-Person Games*, equation 12.
    """
    return _enumerated("shapley_values", _semivalues.shapley, f, num_groups, chunk_size)


def banzhaf_values(
    f: ScalarFn[X, *Ts],
    *,
    num_groups: int | None = None,
    chunk_size: int | None = None,
) -> Grouped[X, *Ts]:
    r"""What a feature adds, on average over all coalitions of the others.

    $$\phi_i = \frac{1}{2^{d - 1}} \sum_{S \not\ni i} v(S \cup i) - v(S)$$

    As the Shapley values, but every coalition counts the same, whatever its size. They
    do not sum to `f(x) - f(b)`. Also the weights of the linear model that is nearest to
    the game on all coalitions.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        num_groups: Number of groups $d$, at most 25; leave out to value each entry of
            `x`.
        chunk_size: Number of coalitions evaluated at once; all of them by default.
            Peak memory follows it, and one number per coalition.

    Returns:
        `explain(x, *args, baseline, groups=None)`, as `shapley_values`.

    Raises:
        ValueError: As `shapley_values`.
        TypeError: As `shapley_values`.

    Example:
        >>> explain = banzhaf_values(lambda x: x[0] * x[1] * x[2])
        >>> explain(jnp.array([2.0, 3.0, 5.0]), baseline=0.0)
        Array([7.5, 7.5, 7.5], dtype=float32)

    References:
        Banzhaf (1965), *Weighted Voting Doesn't Work*.
        Hammer and Holzman (1992), *Approximations of Pseudo-Boolean Functions*, on the
        nearest linear model.
    """
    return _enumerated("banzhaf_values", _semivalues.banzhaf, f, num_groups, chunk_size)


def _enumerated(
    who: str,
    value: Any,
    f: ScalarFn[X, *Ts],
    num_groups: int | None,
    chunk_size: int | None,
) -> Grouped[X, *Ts]:
    _checks.sizes(num_groups, chunk_size)

    def explain(
        x: X,
        /,
        *args: *Ts,
        baseline: X | ArrayLike = REQUIRED,
        groups: Labels | None = None,
    ) -> Any:
        v, number, unflatten = games.players(
            who, f, x, args, baseline, groups, num_groups
        )
        _checks.few_players(who, number, MOST)
        sample = observe(v, every_coalition(number), number, chunk_size)
        return unflatten(exact(sample, value(number)).values * sample.unit)

    return explain
