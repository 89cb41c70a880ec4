"""Shapley values that grow more certain, from sums that forget the coalitions."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, ArrayLike, Float, Int

from .. import _checks, _regression, _tree, games
from .._regression import root
from .._types import REQUIRED, Labels, PRNGKey, Scalar, ScalarFn, Ts, X
from ._exact import exact
from ._least_squares import left_out, rows, solve
from ._sample import (
    Estimate,
    Estimated,
    enumerates,
    every_coalition,
    in_place,
    observe,
    stratified,
)


class Statistics(NamedTuple):
    """What is kept of a game: sums over pairs of coalitions, and its two ends.

    Attributes:
        unit: A power of 2, in the units of `f`, in which the others are measured.
        total: Value of all players above that of none.
        gram: Weighted products of the rows.
        moment: Weighted products of the rows and the values.
        scores: Products of what each pair contributed to the error.
        rounds: Number of rounds so far.
        evaluations: Number of evaluations of `f` so far.
    """

    unit: Scalar
    total: Scalar
    gram: Float[Array, "d d"]
    moment: Float[Array, " d"]
    scores: Float[Array, "d d"]
    rounds: Int[Array, ""]
    evaluations: Int[Array, ""]


def estimate(statistics: Statistics) -> Estimate[Array]:
    """The Shapley values that the statistics determine, one per player.

    Least squares over all rounds, as `leverage_shap`, with sandwich errors.

    Args:
        statistics: What `accumulate` returned.

    Returns:
        The `Estimate`: vectors with one entry per group, or per entry of `x` in the
        order of its leaves. Values that are not determined are NaN.

    Example:
        >>> observed = accumulate(lambda x: x[0] * x[1], num_samples=2)
        >>> seen = observed(jnp.ones(2), baseline=0.0, key=jax.random.key(0))
        >>> estimate(seen).values
        Array([0.5, 0.5], dtype=float32)
    """
    rest, inverse, determined = solve(statistics.gram, statistics.moment)
    share = statistics.total / len(rest)
    variance = jnp.sum(_regression.dot(inverse, statistics.scores) * inverse, 1)
    return Estimate(
        statistics.unit * jnp.where(determined, rest - rest.mean() + share, jnp.nan),
        statistics.unit * jnp.where(determined, root(variance), jnp.nan),
        statistics.evaluations,
    )


def accumulate(
    f: ScalarFn[X, *Ts],
    *,
    num_samples: int = 256,
    num_groups: int | None = None,
    chunk_size: int | None = None,
) -> Callable[..., Statistics]:
    r"""One more round of coalitions, added to the statistics of those before.

    Each round draws `num_samples` coalitions as `leverage_shap` does, by a key that
    follows from `key` and the number of rounds so far: pass the same key every time.
    Statistics are sums, of one size whatever the number of rounds: save them, and
    continue where you stopped.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        num_samples: Number of coalitions of a round, even, between `2 * (d - 1)` and
            `2 ** d - 2`.
        num_groups: Number of groups $d$; leave out to value each entry of `x`.
        chunk_size: Number of coalitions evaluated at once; all of them by default.

    Returns:
        `observe(x, *args, baseline, key, groups=None, statistics=None)`, which returns
        `Statistics`: the input of the next round, and of `estimate`. Costs
        `num_samples + 2` evaluations of `f`.

    Raises:
        ValueError: If `num_samples` is odd or out of range, and as `kernel_shap`.
        TypeError: As `kernel_shap`.

    Example:
        >>> f = lambda x: x[0] * x[1] + x[2] * x[3]
        >>> x, key = jnp.ones(4), jax.random.key(0)
        >>> observe = accumulate(f, num_samples=8)
        >>> seen = observe(x, baseline=0.0, key=key)
        >>> seen = observe(x, baseline=0.0, key=key, statistics=seen)
        >>> estimate(seen).values.round(3), seen.evaluations
        (Array([0.5, 0.5, 0.5, 0.5], dtype=float32), Array(20, dtype=int32))

    References:
        Covert and Lee (2021), *Improving KernelSHAP*, arXiv:2012.01536, section 4.3,
        on detecting convergence.
    """
    _checks.count("num_samples", num_samples)
    _checks.sizes(num_groups, chunk_size)

    def observed(
        x: X,
        /,
        *args: *Ts,
        baseline: X | ArrayLike = REQUIRED,
        key: PRNGKey = REQUIRED,
        groups: Labels | None = None,
        statistics: Statistics | None = None,
    ) -> Statistics:
        _checks.key(key, "accumulate")
        v, d, _ = games.players("accumulate", f, x, args, baseline, groups, num_groups)
        _check_round("accumulate", num_samples, d)
        if statistics is not None:
            _checks.statistics_of(statistics.moment.shape, d)
        return _round(v, d, num_samples, chunk_size, key, statistics)

    return observed


def shapley_until(
    f: ScalarFn[X, *Ts],
    *,
    tolerance: float,
    num_samples: int = 256,
    max_samples: int = 16384,
    num_groups: int | None = None,
    chunk_size: int | None = None,
) -> Estimated[X, *Ts]:
    r"""Shapley values to a tolerance: rounds of coalitions until all errors are below.

    Rounds of `leverage_shap`, in a loop that stops inside `jax.jit`. Under `jax.vmap`
    it runs until the last input has come to rest; the others keep what they had when
    they did. The loop has no derivative in reverse mode.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        tolerance: Largest standard error to accept, in the units of `f`.
        num_samples: Number of coalitions of a round, even, at least `2 * (d - 1)`, and
            better twice that. Where it covers all of them, the answer is exact.
        max_samples: Number of coalitions after which to stop in any case.
        num_groups: Number of groups $d$; leave out to value each entry of `x`.
        chunk_size: Number of coalitions evaluated at once; all of them by default.

    Returns:
        `fit(x, *args, baseline, key, groups=None)`, which returns an `Estimate`. Its
        `evaluations` say where it stopped. A value of `f` that is not finite makes all
        values NaN, and stops after two rounds.

    Raises:
        ValueError: If `tolerance` is not positive, `num_samples` is odd or out of
            range, and as `kernel_shap`.
        TypeError: As `kernel_shap`.

    Example:
        >>> f = lambda x: jnp.tanh(x.sum())
        >>> fit = shapley_until(f, tolerance=0.01, num_samples=32)
        >>> found = fit(jnp.ones(8) / 4, baseline=0.0, key=jax.random.key(0))
        >>> bool(found.standard_error.max() < 0.01), found.values.sum().round(3)
        (True, Array(0.964, dtype=float32))

    References:
        Covert and Lee (2021), *Improving KernelSHAP*, arXiv:2012.01536, section 4.3,
        on detecting convergence.
    """
    _checks.count("num_samples", num_samples)
    _checks.count("max_samples", max_samples, num_samples)
    _checks.positive("tolerance", tolerance)
    _checks.sizes(num_groups, chunk_size)

    def fit(
        x: X,
        /,
        *args: *Ts,
        baseline: X | ArrayLike = REQUIRED,
        key: PRNGKey = REQUIRED,
        groups: Labels | None = None,
    ) -> Any:
        _checks.key(key, "shapley_until")
        v, d, unflatten = games.players(
            "shapley_until", f, x, args, baseline, groups, num_groups
        )
        if d == 1 or enumerates(d, num_samples):
            sample = observe(v, every_coalition(d), d, chunk_size)
            return in_place(exact(sample), sample.unit, unflatten)
        _check_round("shapley_until", num_samples, d)

        def unfinished(seen: Statistics) -> Array:
            error = estimate(seen).standard_error.max()
            # NaN goes away with more rounds, unless it comes from `f`.
            error = jnp.where(jnp.isfinite(seen.moment).all(), error, 0)
            # One round knows too little of its own error.
            goes_on = ~(error <= tolerance) | (seen.rounds < 2)
            return goes_on & (seen.rounds < max_samples // num_samples)

        again = lambda seen: _round(v, d, num_samples, chunk_size, key, seen)
        # The first round is needed anyway, and tells what the loop carries.
        found = estimate(jax.lax.while_loop(unfinished, again, again(None)))
        return in_place(found, 1, unflatten)

    return fit


def _check_round(who: str, num_samples: int, num_groups: int) -> None:
    _checks.several_players(who, num_groups)
    _checks.even_samples(num_samples, 2**num_groups - 2)
    least = 2 * (num_groups - 1)
    _checks.enough_samples(who, num_samples, num_groups, least)


def _round(
    value: Any,
    num_groups: int,
    num_samples: int,
    chunk_size: int | None,
    key: PRNGKey,
    seen: Statistics | None,
) -> Statistics:
    rounds = jnp.zeros((), jnp.int32) if seen is None else seen.rounds
    design = stratified("leverage")(jr.fold_in(key, rounds), num_groups, num_samples)
    sample = observe(value, design, num_groups, chunk_size)
    if seen is not None:
        ratio = sample.unit / seen.unit
        sample = sample._replace(
            unit=seen.unit, full=sample.full * ratio, values=sample.values * ratio
        )
    row, half = rows(sample), num_samples // 2
    gram, moment = _regression.normal_equations(row, half, chunk_size)
    new = Statistics(
        sample.unit,
        sample.full,
        gram,
        moment,
        jnp.zeros_like(gram),
        jnp.ones((), jnp.int32),
        sample.evaluations,
    )
    if seen is not None:
        sums = jax.tree.map(jnp.add, seen, new)
        new = sums._replace(unit=sample.unit, total=sample.full)
    rest, inverse, _ = solve(new.gram, new.moment)

    def scores(indices: Array, valid: Array) -> tuple:
        z, y, w = jax.vmap(row)(indices)
        leverage = w * jnp.sum(_regression.dot(z, inverse) * z, 1)
        left, alone = left_out(y - _regression.dot(z, rest), leverage, valid)
        score = z * (w * left)[:, None]
        return (_regression.dot(score.T, score), alone.sum(dtype=w.dtype)), ()

    (squares, alone), _ = _tree.loop(scores, half, chunk_size)
    # Pairs without a residual, in a first round that is small, are like the others.
    share = half / jnp.maximum(half - alone, 1)
    return new._replace(scores=new.scores + share * squares)
