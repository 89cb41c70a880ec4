"""The nearest input about which `f` has nothing to say."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, PyTree

from .. import _checks, _pooling, _tree
from .._types import REQUIRED, Explains, Scalar, ScalarFn, Ts, X

# Of a search along a line: a bracket becomes 9 ** 3 times shorter.
PLACES, ROUNDS = 8, 4


class Neutral(NamedTuple):
    """An input with the value that was asked for, or the nearest to it that was found.

    Attributes:
        baseline: Shaped like `x`.
        value: `f` there. It says whether the target was reached.
        distance: Euclidean distance from `x`.
        reached: Whether `value` is within the tolerance of the target.
    """

    baseline: Any
    value: Scalar
    distance: Scalar
    reached: Bool[Array, ""]


def neutral(
    f: ScalarFn[X, *Ts], *, steps: int = 20, tolerance: float = 1e-3
) -> Explains[Neutral]:
    r"""The input nearest to `x` at which `f` has a given value.

    $$b = \arg\min_{z} \|z - x\|^2 \quad \text{such that} \quad f(z) = \tau$$

    As a baseline, it makes attributions say why `f` is not neutral: they sum to
    $f(x) - \tau$, and what `x` has in common with the border counts for nothing. Take
    for $\tau$ the value at which a decision turns, such as 0 for log-odds. It is near
    `x` and may look like it: a black picture it is not.

    At the solution, the line from `x` is along the gradient there. So every step looks
    for the border on a line from `x` along the mean of the gradients at the points
    found so far, where the newest counts most: at a kink the normal of the border lies
    between two gradients. A local solution: there may be nearer ones. Where none
    of the lines meets the border, as where `f` never has that value, `reached` is
    False and `baseline` is the point that came closest to it.

    Args:
        f: Function to make neutral: `f(x, *args)` returns a scalar.
        steps: Number of steps.
        tolerance: How far `f(b)` may miss the target, as a share of how far `f(x)`
            does.

    Returns:
        `fit(x, *args, target, low=None, high=None)`, a `Neutral`. `low` and `high`
        bound every entry of the baseline: numbers, or any prefix of `x`. Costs one
        gradient and 33 evaluations of `f` a step, eight at a time.

    Raises:
        ValueError: If an option is out of range, `f` does not return a scalar, `x` is
            empty, or `target`, `low` or `high` does not fit.
        TypeError: If `x` holds integers, or `target` is missing.

    Example:
        >>> fit = jx.baselines.neutral(lambda x: (x**2).sum() - 1.0)
        >>> found = fit(jnp.array([3.0, 4.0]), target=0.0)
        >>> found.baseline.round(3), found.reached
        (Array([0.6, 0.8], dtype=float32), Array(True, dtype=bool))

    References:
        Izzo, Lipani, Okhrati and Medda (2021), *A Baseline for Shapley Values in MLPs:
        from Missingness to Neutrality*, arXiv:2006.04896, for neutral baselines.
        Rackwitz and Fiessler (1978), *Structural Reliability under Combined Random
        Load Sequences*, for lines along the gradient at the last point.
    """
    f = _checks.scalar(f)
    _checks.count("steps", steps)
    _checks.positive("tolerance", tolerance)
    tolerance = float(tolerance)

    def fit(
        x: X,
        /,
        *args: *Ts,
        target: ArrayLike = REQUIRED,
        low: PyTree = None,
        high: PyTree = None,
    ) -> Neutral:
        x = _checks.inputs(x)
        centre = jax.tree.map(_wide, x)
        clip = _bounds(centre, low, high)
        inside = clip(centre)
        tau = _target(target, x)
        value = lambda z: f(_tree.cast_like(z, x), *args).astype(tau.dtype) - tau
        gradient = _pooling.gradient(value)
        gap = value(inside)
        allowed = tolerance * jnp.abs(gap)
        # Uphill to a target above, downhill to one below.
        up = -jnp.sign(gap)

        def step(state: tuple[Any, _Point, _Point], i: Array) -> tuple[Any, None]:
            mean, now, best = state
            slope = jax.tree.map(lambda g: up.astype(g.dtype) * g, gradient(now.z))
            share = 2 / (i.astype(up.dtype) + 2)
            mean = _towards(mean, _unit(slope), share)
            way = _unit(mean)
            line = lambda far: clip(_along(centre, way, far))
            far = _cross(lambda far: up * value(line(far)), _guess(now, slope, way, up))
            z = line(far)
            after = _Point(z, value(z), _length(_minus(z, centre)))
            pick = lambda a, b: jnp.where(_better(after, best, allowed), a, b)
            return (mean, after, jax.tree.map(pick, after, best)), None

        start = _Point(inside, gap, jnp.zeros_like(gap))
        state = (jax.tree.map(jnp.zeros_like, centre), start, start)
        order = jnp.arange(steps, dtype=jnp.int32)
        (_, _, best), _ = jax.lax.scan(step, state, order)
        reached = jnp.abs(best.value) <= allowed
        baseline = _tree.cast_like(best.z, x)
        distance = _length(_minus(jax.tree.map(_wide, baseline), centre))
        return Neutral(baseline, best.value + tau, distance, reached)

    return fit


class _Point(NamedTuple):
    """A point, how far `f` is above its target there, and how far it is from `x`."""

    z: PyTree
    value: Array
    distance: Array


def _better(a: _Point, b: _Point, allowed: Array) -> Array:
    """On the border and nearer, or closer to the border."""
    miss_a, miss_b = jnp.abs(a.value), jnp.abs(b.value)
    on_a, on_b = miss_a <= allowed, miss_b <= allowed
    # The input itself, where it is not on the border, is on no line yet.
    nearer = jnp.where(on_a, a.distance < b.distance, miss_a < miss_b)
    return jnp.where(on_a == on_b, nearer, on_a)


def _guess(now: _Point, slope: PyTree, way: PyTree, up: Array) -> Array:
    """Where the linear `f` of the last point crosses, if that is somewhere near."""
    steep = _dot(slope, way)
    crossing = now.distance - up * now.value / jnp.where(steep > 0, steep, 1)
    near = (now.distance == 0) | (crossing < 4 * now.distance)
    usable = (steep > 0) & (crossing > 0) & near
    otherwise = jnp.where(now.distance > 0, now.distance, 1)
    return jnp.where(usable, crossing, otherwise)


def _cross(rises: Callable[[Array], Array], guess: Array) -> Array:
    """The first place on a line where a function from below 0 is 0, or nearly."""
    places = np.array([0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 4])
    inner = np.arange(1, PLACES + 1) / (PLACES + 1)
    grid = guess * jnp.asarray(places, guess.dtype)
    near, best = jnp.zeros_like(guess), jnp.zeros_like(guess)
    beyond, least = jnp.full_like(guess, jnp.inf), jnp.full_like(guess, jnp.inf)
    for _ in range(ROUNDS):
        found = jax.vmap(rises)(grid)
        miss = jnp.where(jnp.isfinite(found), jnp.abs(found), jnp.inf)
        at, lowest = grid[jnp.argmin(miss)], miss.min()
        # On a plateau, the place where it begins.
        improves = (lowest < least) | ((lowest == least) & (at < best))
        best, least = jnp.where(improves, at, best), jnp.minimum(least, lowest)
        above = ~(found < 0)  # no farther than where `f` is not a number
        first = jnp.argmax(above)
        before = jnp.where(first > 0, grid[jnp.maximum(first - 1, 0)], near)
        near = jnp.where(above.any(), before, grid[-1])
        beyond = jnp.where(above.any(), grid[first], beyond)
        # Nothing crossed yet: look further.
        end = jnp.where(jnp.isinf(beyond), 4 * near, beyond)
        grid = near + (end - near) * jnp.asarray(inner, guess.dtype)
    return best


def _along(start: PyTree, way: PyTree, far: Array) -> PyTree:
    return jax.tree.map(lambda a, w: a + far.astype(a.dtype) * w, start, way)


def _towards(mean: PyTree, new: PyTree, share: Array) -> PyTree:
    move = lambda m, n: m + share.astype(m.dtype) * (n.astype(m.dtype) - m)
    return jax.tree.map(move, mean, new)


def _unit(a: PyTree) -> PyTree:
    length = _length(a)
    scale = jnp.where(length > 0, length, 1)
    return jax.tree.map(lambda leaf: leaf / scale.astype(leaf.dtype), a)


def _dot(a: PyTree, b: PyTree) -> Array:
    return _tree.total(_tree.mul(a, b))


def _length(a: PyTree) -> Array:
    # In units of the largest entry: no square leaves the range of the dtype.
    wide = [leaf.astype(_tree.widest(a)) for leaf in jax.tree.leaves(a)]
    top = jnp.stack([jnp.abs(leaf).max() for leaf in wide]).max()
    unit = jax.lax.stop_gradient(jnp.where(top > 0, top, 1))
    square = _tree.total([(leaf / unit) ** 2 for leaf in wide])
    positive = square > 0
    return jnp.where(positive, unit * jnp.sqrt(jnp.where(positive, square, 1)), 0)


def _minus(a: PyTree, b: PyTree) -> PyTree:
    return jax.tree.map(jnp.subtract, a, b)


def _wide(leaf: Array) -> Array:
    return leaf.astype(_tree.accumulator(leaf.dtype))


def _bounds(x: PyTree, low: PyTree, high: PyTree) -> Callable[[PyTree], PyTree]:
    """How to get within bounds, given as prefixes of the input."""
    bounds = {"low": low, "high": high}
    fill = lambda part, leaf: jnp.broadcast_to(jnp.asarray(part), leaf.shape).astype(
        leaf.dtype
    )
    for name, value in bounds.items():
        if value is None:
            continue
        try:
            bounds[name] = _tree.map_prefix(fill, value, x)
        except (ValueError, TypeError):
            raise ValueError(
                f"`{name}` must broadcast to `x`, {jax.tree.map(_checks.show, x)}, but "
                f"is {jax.tree.map(_checks.describe, value)}. Pass a number, or an "
                "array of the shape of `x`."
            ) from None

    def clip(z: PyTree) -> PyTree:
        if bounds["low"] is not None:
            z = jax.tree.map(jnp.maximum, z, bounds["low"])
        if bounds["high"] is not None:
            z = jax.tree.map(jnp.minimum, z, bounds["high"])
        return z

    return clip


def _target(value: Any, x: PyTree) -> Array:
    if value is None:
        raise TypeError(
            "`target` is missing: say at which value `f` is neutral, for example "
            "`target=0.0` for log-odds."
        )
    if jnp.shape(value) != ():
        raise ValueError(
            f"`target` must be one number, but has shape {jnp.shape(value)}. Map over "
            "several with `jax.vmap`."
        )
    return jnp.asarray(value).astype(_tree.widest(x))
