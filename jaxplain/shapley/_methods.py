"""The estimators: a design, what is made of its values, and how many it needs."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeAlias

from jaxtyping import ArrayLike

from .. import _checks, games
from .._types import REQUIRED, Labels, PRNGKey, Sampled, ScalarFn, Ts, X
from . import _permutations
from ._exact import exact
from ._gaussian import gaussian_process
from ._least_squares import least_squares
from ._per_player import per_player
from ._residuals import regression_adjusted
from ._sample import (
    Design,
    Estimated,
    Estimator,
    enumerates,
    every_coalition,
    in_place,
    observe,
    stratified,
)

Name: TypeAlias = Literal[
    "gp", "gp_per_player", "kernel", "leverage", "msr", "permutation"
]


class Method(NamedTuple):
    """An estimator.

    Attributes:
        design: Which coalitions it looks at.
        estimate: What it makes of their values.
        least: The fewest coalitions it takes, for a number of players.
        exact: What it makes of all coalitions, where the budget covers them.
        enumerates: Does it do so for more than a single player?
    """

    design: Design
    estimate: Estimator
    least: Callable[[int], int]
    exact: Estimator = exact
    enumerates: bool = True


METHODS: dict[str, Method] = {
    "gp": Method(stratified("leverage"), gaussian_process, lambda d: 2 * d),
    "gp_per_player": Method(stratified("leverage"), per_player, lambda d: 2 * d),
    "kernel": Method(stratified("kernel"), least_squares, lambda d: 2 * (d - 1)),
    "leverage": Method(stratified("leverage"), least_squares, lambda d: 2 * (d - 1)),
    "msr": Method(stratified("leverage"), regression_adjusted, lambda d: 3 * (d - 1)),
    "permutation": Method(
        _permutations.design(), _permutations.mean_gains, lambda d: 2 * (d - 1)
    ),
}


def fitted(
    who: str,
    method: Method,
    f: ScalarFn[X, *Ts],
    num_samples: int,
    num_groups: int | None,
    chunk_size: int | None,
) -> Estimated[X, *Ts]:
    """An estimate by a method, under the name that the user called."""
    _checks.count("num_samples", num_samples)
    _checks.sizes(num_groups, chunk_size)

    def fit(
        x: X,
        /,
        *args: *Ts,
        baseline: X | ArrayLike = REQUIRED,
        key: PRNGKey = REQUIRED,
        groups: Labels | None = None,
    ) -> Any:
        _checks.key(key, who)
        v, number, unflatten = games.players(
            who, f, x, args, baseline, groups, num_groups
        )
        fewest = method.least(number)
        if number == 1 or (method.enumerates and enumerates(number, num_samples)):
            design, estimate = every_coalition(number), method.exact
        else:
            _checks.enough_samples(who, num_samples, number, fewest)
            design = method.design(key, number, num_samples)
            estimate = method.estimate
        sample = observe(v, design, number, chunk_size)
        return in_place(estimate(sample), sample.unit, unflatten)

    return fit


def values(
    who: str,
    method: Method,
    f: ScalarFn[X, *Ts],
    num_samples: int,
    num_groups: int | None,
    chunk_size: int | None,
) -> Sampled[X, *Ts]:
    """The values of an estimate, and nothing else."""
    fit = fitted(who, method, f, num_samples, num_groups, chunk_size)

    def explain(
        x: X,
        /,
        *args: *Ts,
        baseline: X | ArrayLike = REQUIRED,
        key: PRNGKey = REQUIRED,
        groups: Labels | None = None,
    ) -> Any:
        return fit(x, *args, baseline=baseline, key=key, groups=groups).values

    return explain
