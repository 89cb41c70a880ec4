"""Which factors can be left alone, from few evaluations."""

from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, ArrayLike, Bool, Float, Int

from .. import _checks, _regression
from .._types import REQUIRED, Labels, PRNGKey, ScalarFn, Ts, X
from ..games import evaluate
from ._factors import factors
from ._types import Analysis, ElementaryEffects

MOST_LEVELS = 2**20  # float32 tells them apart


def morris(
    f: ScalarFn[X, *Ts],
    *,
    num_groups: int | None = None,
    num_trajectories: int = 16,
    levels: int = 4,
    chunk_size: int | None = None,
) -> Analysis[ElementaryEffects[X]]:
    r"""Elementary effects: what `f` does when one factor takes a large step.

    $$E_i(u) = \frac{f(u + \Delta e_i) - f(u)}{\Delta}, \qquad
    \mu_i^* = \mathbb{E}\,|E_i|, \qquad \mu_i = \mathbb{E}\, E_i, \qquad
    \sigma_i^2 = \operatorname{Var} E_i$$

    $u$ is the input on a grid of `levels` values from `low` (0) to `high` (1), and
    $\Delta$ is half of the grid. A trajectory starts anywhere and moves every factor
    once, in random order, each step starting where the last one ended. For linear `f`
    each effect is the slope times the range, and $\sigma$ is 0 up to rounding. Where
    $\sigma$ is large beside $\mu^*$ the factor is not linear, or does not act alone. A
    factor without effect gets exactly 0; one with effect may get 0 too, if the grid
    misses it. A value of `f` that is not finite passes on to the factors that moved
    before and after it.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        num_groups: Number of groups; leave out to explain each entry of the input.
        num_trajectories: Number of trajectories, at least 2.
        levels: Number of values of the grid, even, at most 2 ** 20.
        chunk_size: Number of inputs evaluated at once; all of them by default.
            Peak memory follows it, but for the trajectories, some
            `15 * num_trajectories * d` numbers.

    Returns:
        `analyse(low, high, *args, key, groups=None)`, the `ElementaryEffects`: with
        groups of shape `(num_groups,)`, shaped like `high` without. `high` has the
        shape of the input of `f`, and `low` is any prefix of it, such as `0.0`. The
        factors of a group move together, each up or down by itself. Costs
        `num_trajectories * (d + 1)` evaluations of `f`.

    Raises:
        ValueError: If `f` does not return a scalar, `low` does not fit `high` or lies
            above it, `groups` do not fit, only one of `groups` and `num_groups` is
            given, `levels` is odd, or an option is out of range.
        TypeError: If `high` holds integers, or `key` is missing.

    Example:
        >>> analyse = jax.jit(morris(lambda x: x[0] - 3.0 * x[1] + x[1] * x[2]))
        >>> high = jnp.array([2.0, 1.0, 1.0])
        >>> out = analyse(0.0, high, key=jax.random.key(0))
        >>> out.mu.round(1)
        Array([ 2. , -2.3,  0.6], dtype=float32)
        >>> out.sigma.round(1)
        Array([0. , 0.3, 0.4], dtype=float32)

    References:
        Morris (1991), *Factorial Sampling Plans for Preliminary Computational
        Experiments*.
        Campolongo, Cariboni and Saltelli (2007), *An Effective Screening Design for
        Sensitivity Analysis of Large Models*: the mean of the absolute effect, and
        groups.
    """
    _checks.sizes(num_groups, chunk_size)
    _checks.count("num_trajectories", num_trajectories, 2)
    if _checks.count("levels", levels, 2) % 2:
        raise ValueError(
            f"`levels` must be even, but is {levels}: a step over half of an odd grid "
            f"would miss its values. Take {levels + 1}."
        )
    if levels > MOST_LEVELS:
        raise ValueError(
            f"`levels` must be at most {MOST_LEVELS}, but is {levels}. Take few, such "
            "as 4: an effect is that of half the grid, however fine."
        )
    half, last = levels // 2, levels - 1

    def analyse(
        low: X | ArrayLike,
        high: X,
        /,
        *args: Any,
        key: PRNGKey = REQUIRED,
        groups: Labels | None = None,
    ) -> ElementaryEffects[Any]:
        _checks.key(key, "morris")
        value, labels, number, _, unflatten = factors(
            "morris", f, low, high, args, groups, num_groups
        )
        start, up, rank = _trajectories(
            key, num_trajectories, levels, len(labels), number
        )
        length = number + 1

        def point(i: Int[Array, ""]) -> Float[Array, " d"]:
            t, time = i // length, (i % length).astype(rank.dtype)
            moved = rank[t][labels] < time
            level = start[t] + jnp.where(moved == up[t], half, 0)
            return level.astype(float) / last

        values = evaluate(value, point, num_trajectories * length, chunk_size)
        moves = jnp.diff(values.reshape(num_trajectories, length), axis=1)
        moves = moves / half * last
        effects = jnp.take_along_axis(moves, rank, 1)
        sign, alone = _directions(up, labels, number)
        return _summary(effects, sign.astype(effects.dtype), alone, unflatten)

    return analyse


def _trajectories(
    key: PRNGKey, num: int, levels: int, d: int, number: int
) -> tuple[Int[Array, "num d"], Bool[Array, "num d"], Int[Array, "num number"]]:
    """Levels of factors when down, whether they go up, and when groups move."""
    # In 32 bits whatever the mode, so that the same key draws the same points.
    words = jr.bits(key, (num, 2 * d + number), jnp.uint32)
    level, coin, order = jnp.split(words, [d, 2 * d], axis=1)
    start = (level % (levels // 2)).astype(jnp.int32)
    return start, coin % 2 == 1, jnp.argsort(order, axis=1)


def _directions(
    up: Bool[Array, "num d"], labels: Int[Array, " d"], number: int
) -> tuple[Float[Array, "num number"], Bool[Array, " number"]]:
    """The sign of each step of a group, and which groups have at most one factor."""
    per_group = lambda a: jax.ops.segment_sum(a, labels, number)
    size = per_group(jnp.ones(len(labels), jnp.int32))
    return jax.vmap(per_group)(jnp.where(up, 1.0, -1.0)), size <= 1


def _summary(
    effects: Float[Array, "num number"],
    sign: Float[Array, "num number"],
    alone: Bool[Array, " number"],
    unflatten: Any,
) -> ElementaryEffects[Any]:
    num, number = effects.shape
    unit, effects = _regression.in_own_unit(effects)
    signed = jnp.where(alone[None], sign * effects, jnp.nan)
    size = jnp.abs(effects)
    spread = lambda a: _regression.root(a.var(0, ddof=1))
    inside = lambda part: unflatten(unit * part)
    return ElementaryEffects(
        mu=inside(signed.mean(0)),
        mu_star=inside(size.mean(0)),
        sigma=inside(spread(signed)),
        mu_star_error=inside(spread(size) / num**0.5),
        evaluations=jnp.asarray(num * (number + 1), jnp.int32),
    )
