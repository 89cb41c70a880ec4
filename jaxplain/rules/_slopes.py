"""What DeepLIFT passes back through one operation: slopes between two points."""

import functools
from collections.abc import Callable
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp

from .. import _quadrature, _tree
from ._active import Local, Rule
from ._primitives import BILINEAR, KINKED, SMOOTH, WINNERS

STEPS = 8  # of the fallback: exact for polynomials up to degree 15


def rule_for(name: str, num_active: int) -> Rule | None:
    """The table of the method, for what is not linear."""
    if name in BILINEAR:
        return product
    if name in WINNERS:
        return functools.partial(winner, "max" if "max" in name else "min")
    if name == "div" and num_active == 2:
        return quotient
    if name in SMOOTH | KINKED:
        slope = smooth_slope if name in SMOOTH else kinked_slope
        return {1: functools.partial(rescale, slope), 2: pair(slope)}.get(num_active)
    return None


def _wide(array: Any) -> Any:
    return array.astype(_tree.accumulator(array.dtype))


def _ratio(change: Any, step: Any, small: Any, otherwise: Any) -> Any:
    """`change / step`, or `otherwise` where the step is `small`."""
    quotient = change / jnp.where(small, jnp.ones_like(step), step)
    return jnp.where(small, _wide(otherwise), quotient)


def _derivative(fn: Callable[[Any], Any], x: Any) -> Any:
    return jax.vjp(fn, x)[1](jnp.ones_like(x))[0]


def smooth_slope(fn: Callable[[Any], Any], x: Any, ref: Any) -> Any:
    """The slope of a smooth elementwise function between two points.

    Over a short step `h` the quotient is lost to rounding, by `eps / h`, while the
    derivative in the middle is off by `h ** 2 / 24`. A step is short if neither the
    argument nor the value changes much by it: near a singularity the value does.
    """
    step, near = _step(x, ref), (24 * float(jnp.finfo(x.dtype).eps)) ** (1 / 3)
    y, ref_y = _wide(fn(x)), _wide(fn(ref))
    size = jnp.minimum(_largest(_wide(x), _wide(ref)), jnp.ones_like(step))
    short = (jnp.abs(step) <= near * size) & (
        jnp.abs(y - ref_y) <= near * _largest(y, ref_y)
    )
    short |= step == 0
    middle = jnp.where(short & (step != 0), ref + (x - ref) / 2, x)
    slope = _derivative(fn, middle)
    # A square root that stays at zero passes nothing on, rather than NaN.
    stuck = (step == 0) & ~jnp.isfinite(slope)
    slope = jnp.where(stuck, jnp.zeros_like(slope), slope)
    return _ratio(y - ref_y, step, short, slope)


def kinked_slope(fn: Callable[[Any], Any], x: Any, ref: Any) -> Any:
    """The slope of a piecewise function, whose derivatives are of no use at a kink."""
    step = _step(x, ref)
    change = _wide(fn(x)) - _wide(fn(ref))
    return _ratio(change, step, step == 0, _derivative(fn, x))


def _step(x: Any, ref: Any) -> Any:
    """`x - ref`, and zero where both are the same infinity."""
    step = _wide(x) - _wide(ref)
    return jnp.where(x == ref, jnp.zeros_like(step), step)


def _largest(a: Any, b: Any) -> Any:
    return jnp.maximum(jnp.abs(a), jnp.abs(b))


Slope: TypeAlias = Callable[[Callable[[Any], Any], Any, Any], Any]


def _times(ct: Any, slope: Any) -> Any:
    return (_wide(ct) * slope).astype(ct.dtype)


def rescale(slope: Slope, local: Local, cts: list[Any]) -> list[Any]:
    """An elementwise function of one number: $(y - y^0) / (x - x^0)$."""
    (x,), (ref,), (ct,) = local.xs, local.refs, cts
    return [_times(ct, slope(lambda x: local.fn(x)[0], x, ref))]


def pair(slope: Slope) -> Rule:
    """An elementwise function of two numbers: the Shapley value of the two."""

    def rule(local: Local, cts: list[Any]) -> list[Any]:
        (a, b), (ref_a, ref_b), (ct,) = local.xs, local.refs, cts
        of_a = lambda b: slope(lambda a: local.fn(a, b)[0], a, ref_a)
        of_b = lambda a: slope(lambda b: local.fn(a, b)[0], b, ref_b)
        return [
            _times(ct, (of_a(b) + of_a(ref_b)) / 2),
            _times(ct, (of_b(a) + of_b(ref_a)) / 2),
        ]

    return rule


def product(local: Local, cts: list[Any]) -> list[Any]:
    """Linear in each of two operands: each is weighed by the mean of the other."""
    return local.pull([x / 2 + r / 2 for x, r in zip(local.xs, local.refs)], cts)


def quotient(local: Local, cts: list[Any]) -> list[Any]:
    """The Shapley value of $a / b$, without a division by a difference."""
    (a, b), (ref_a, ref_b), (ct,) = (map(_wide, v) for v in (local.xs, local.refs, cts))
    slopes = (1 / b + 1 / ref_b) / 2, -(a / 2 + ref_a / 2) / (b * ref_b)
    return [(ct * m).astype(x.dtype) for m, x in zip(slopes, local.xs, strict=True)]


def winner(kind: str, local: Local, cts: list[Any]) -> list[Any]:
    """A rise of a maximum is due to the winner at the input, a fall to the other's."""
    (x,), (ref,), (ct,) = local.xs, local.refs, cts
    rise = _step(local.ys[0], local.ref_ys[0]).astype(ct.dtype)
    outward = rise > 0 if kind == "max" else rise < 0
    zero = jnp.zeros_like(rise)
    (new,) = local.pull([x], [ct * jnp.where(outward, rise, zero)])
    (old,) = local.pull([ref], [ct * jnp.where(outward, zero, rise)])
    step = _step(x, ref)
    slope = _ratio(_wide(new + old), step, step == 0, local.pull([x], cts)[0])
    return [slope.astype(x.dtype)]


def of_one_value(local: Local, cts: list[Any]) -> list[Any]:
    """A choice among functions of one value, by a condition on that value."""
    (root, *_), (ref_root, *_), (ct,) = local.xs, local.refs, cts
    step = _step(root, ref_root)
    change = _wide(local.ys[0]) - _wide(local.ref_ys[0])
    slope = _ratio(change, step, step == 0, jnp.zeros_like(step))
    kept = jnp.where(step == 0, ct, jnp.zeros_like(ct))
    _, *others = local.pull(local.xs, [kept])
    return [_times(ct, slope).astype(root.dtype), *others]


def along_the_line(local: Local, cts: list[Any]) -> list[Any]:
    """Anything else: integrated gradients of this one operation."""
    nodes, weights = _quadrature.nodes_and_weights("gauss_legendre", STEPS)
    sums = [jnp.zeros_like(_wide(x)) for x in local.xs]
    for t, weight in zip(nodes, weights, strict=True):
        points = [_tree.lerp(r, x, t) for x, r in zip(local.xs, local.refs)]
        parts = local.pull(points, cts)
        sums = [s + float(weight) * _wide(p) for s, p in zip(sums, parts, strict=True)]
    return [s.astype(x.dtype) for s, x in zip(sums, local.xs, strict=True)]
