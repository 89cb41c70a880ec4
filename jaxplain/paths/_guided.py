"""The path that moves the features with the smallest gradients first."""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .. import _checks, _convolutions, _pooling, _tree
from .._types import REQUIRED, Contrastive, ScalarFn, Ts, X
from . import _valid, _values
from ._panels import ratio


class _Walk(NamedTuple):
    """Where each feature is, between its baseline 0 and its end 1.

    Attributes:
        place: Share of its way that each feature has gone.
        moved: What it went in the last step.
        total: Attributions so far.
    """

    place: Float[Array, " size"]
    moved: Float[Array, " size"]
    total: Float[Array, " size"]


def guided_ig(
    f: ScalarFn[X, *Ts],
    *,
    steps: int = 200,
    fraction: float = 0.25,
    max_dist: float = 0.02,
) -> Contrastive[X, *Ts]:
    r"""Integrate the gradient along a path that avoids large gradients.

    $$\phi(x; b) = \int_0^1 \nabla f(\gamma(t)) \odot \gamma'(t) \, dt, \qquad
    \|x - \gamma(t)\|_1 = (1 - t)\, \|x - b\|_1$$

    In every step, the features whose gradients are smallest move first, as far as
    `max_dist` allows, until the step is used up. Noise of regions where `f` is steep
    and that the straight line would cross is left out. Complete up to
    `1 / steps ** 2` where `f` is smooth: each step takes the mean of the gradients at
    its two ends, where the paper takes the first, which leaves `1 / steps`.

    Not linear in `f`, and not continuous in `x`: the path depends on which gradients
    are smaller than others.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        steps: Number of steps along the path.
        fraction: Share of the features to move at a time.
        max_dist: How far a feature may be ahead of the straight line, or behind it, as
            a share of its way. 0 is the straight line.

    Returns:
        `explain(x, *args, baseline)`, shaped like `x`, in the units of `f`.
        The baseline may be any prefix of `x`, such as `0.0`. Costs `steps + 1`
        gradients, one after the other.

    Raises:
        ValueError: If an option is out of range, `f` does not return a scalar, `x` is
            empty, or `baseline` does not fit `x`.
        TypeError: If `x` holds integers, such as tokens, or `baseline` is missing.

    Example:
        >>> explain = guided_ig(lambda x: 2 * x[0] ** 2 + x[1] ** 2)
        >>> explain(jnp.array([3.0, 3.0]), baseline=0.0)
        Array([18.00, 9.00], dtype=float32)

    References:
        Kapishnikov, Venugopalan, Avci, Wedin, Terry and Bolukbasi (2021), *Guided
        Integrated Gradients: An Adaptive Path Method for Removing Noise*,
        arXiv:2106.09788, algorithm 1.
    """
    _checks.count("steps", steps)
    _valid.fraction("fraction", fraction)
    _valid.fraction("max_dist", max_dist, zero=True)

    def explain(x: X, /, *args: *Ts, baseline: X | ArrayLike = REQUIRED) -> X:
        x = _checks.inputs(x)
        start = _checks.baseline(baseline, x)
        delta = _values.flatten(_values.difference(x, start))
        gradient = _pooling.gradient(_checks.scalar(f))

        def at(place: Array) -> Array:
            weight = _values.unflatten(place, _values.widen(x))
            slope = gradient(_tree.lerp(start, x, weight), *args)
            return _values.flatten(slope).astype(delta.dtype)

        def step(walk: _Walk, i: Array) -> tuple[_Walk, None]:
            slope = at(walk.place)
            t = (i + 1).astype(delta.dtype) / steps
            ahead = _advance(
                walk.place, jnp.abs(slope), jnp.abs(delta), t, fraction, max_dist
            )
            moved = jnp.where(i < steps, ahead - walk.place, 0)
            # The mean of the gradients at both ends of a move: half now, half then.
            part = delta * slope * (walk.moved + moved) / 2
            return _Walk(walk.place + moved, moved, walk.total + part), None

        still = jnp.zeros_like(delta)
        first, index = _Walk(still, still, still), jnp.arange(steps + 1)
        body, _ = _convolutions.canonical_convolutions(step, first, index[0])
        walk, _ = jax.lax.scan(body, first, index)
        return _values.unflatten(walk.total, x)

    return explain


def _advance(
    place: Array,
    slope: Array,
    way: Array,
    t: Array,
    fraction: float,
    max_dist: float,
) -> Float[Array, " size"]:
    """The next place of every feature, where the whole has gone the share `t`."""
    low, high = t - max_dist, jnp.minimum(t + max_dist, 1)
    place = jnp.where(way == 0, high, jnp.maximum(place, low))
    left = jnp.sum(way * (1 - place)) - (1 - t) * jnp.sum(way)
    slope = jnp.where(place >= high, jnp.inf, slope)
    ranked = jnp.sort(slope)
    at_a_time = math.floor(fraction * (len(way) - 1)) + 1

    def move(_: Any, state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        place, left, done = state
        passed = jnp.sum(slope <= done)
        last = ranked[jnp.minimum(passed + at_a_time, len(way)) - 1]
        chosen = (slope > done) & (slope <= last) & jnp.isfinite(slope)
        room = jnp.sum(jnp.where(chosen, way * (high - place), 0))
        share = jnp.clip(ratio(left, room), 0, 1)
        goal = jnp.where(share == 1, high, place + share * (high - place))
        return jnp.where(chosen, goal, place), left - share * room, last

    nothing = jnp.full_like(left, -jnp.inf)
    rounds = math.ceil(len(way) / at_a_time)
    return jax.lax.fori_loop(0, rounds, move, (place, left, nothing))[0]
