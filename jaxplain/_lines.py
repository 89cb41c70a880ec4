"""The affine beginning of a program, which leaves a straight line straight."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import Jaxpr, JaxprEqn, Literal
from jaxtyping import Array, PyTree

from . import _jaxpr, _tree

SUMS = frozenset(
    {
        *("add", "add_any", "sub", "neg", "reduce_sum", "reduce_window_sum"),
        *("broadcast_in_dim", "expand_dims", "reshape", "squeeze", "transpose"),
        *("concatenate", "pad", "rev", "slice", "convert_element_type", "copy"),
    }
)
"""Linear in all operands together."""

PRODUCTS = frozenset({"conv_general_dilated", "dot_general"})
"""Linear in each operand, and expensive."""

WIDE = (jnp.float32, jnp.float64)
"""Dtypes in which a mean may be rounded on its way back."""


def straighten(
    f: Callable[[Any], Any], start: PyTree, end: PyTree, *, inside: bool
) -> tuple[Callable[[Any], Any], Callable[[Array], Any], Callable[[PyTree], PyTree]]:
    r"""Move a line from the input of `f` to the end of its affine beginning.

    If $f = h \circ A$ and $A$ is affine, the line from $b$ to $x$ becomes the one from
    $A(b)$ to $A(x)$, and the mean of $\nabla f$ is the mean of $\nabla h$, pulled back
    once. A first convolution, slow because it has few channels, then runs at the two
    ends and not at every node. Without such a product the line stays where it is, and
    so it does unless its points are `inside`: the ends must be exact, NaN and all.

    Returns `h`, its line, and how to pull a mean back. `f` is traced once.
    """
    closed, leaves, shape = _jaxpr.trace(f, end)
    jaxpr = closed.jaxpr
    kinds = list(zip(jaxpr.eqns, _kinds(jaxpr, [True] * len(leaves))))
    pick = lambda *wanted: [eqn for eqn, kind in kinds if kind in wanted]
    moves = inside and any(map(_holds_product, pick("affine")))
    early, late = pick("affine"), pick("other")
    if not moves:
        early, late = [], pick("affine", "other")
    border = _border(jaxpr, early, late) if moves else jaxpr.invars
    known = _jaxpr.environment(closed, leaves)
    _evaluate(pick("constant"), known)

    def before(x: PyTree) -> list[Any]:
        env = known | dict(zip(jaxpr.invars, jax.tree.leaves(x)))
        _evaluate(early, env)
        return [env[v] for v in border]

    def after(values: PyTree) -> Any:
        env = known | dict(zip(border, jax.tree.leaves(values)))
        _evaluate(late, env)
        out = [_jaxpr.read(v, env) for v in jaxpr.outvars]
        return _jaxpr.unflatten_like(shape, out)

    if not moves:
        return after, lambda t: _tree.lerp(start, end, t), lambda mean: mean
    at_start = before(start)
    at_end, pull = jax.vjp(before, end)

    def between(a: Array, b: Array, t: Array) -> Array:
        # A product: XLA's CPU compiler would repeat a sum in all that reads it.
        return _tree.weighted_sum(
            jnp.stack([1 - t, t]).astype(a.dtype), jnp.stack([a, b])
        )

    def line(t: Array) -> list[Array]:
        return [between(a, b, t) for a, b in zip(at_start, at_end)]

    def pull_back(mean: list[Array]) -> PyTree:
        return pull([m.astype(z.dtype) for m, z in zip(mean, at_end)])[0]

    return after, line, pull_back


def _border(
    jaxpr: Jaxpr, early: Sequence[JaxprEqn], late: Sequence[JaxprEqn]
) -> list[Any]:
    """What the late equations read of the early ones and of the input."""
    made = set(jaxpr.invars).union(*(eqn.outvars for eqn in early))
    read = [v for eqn in late for v in eqn.invars] + list(jaxpr.outvars)
    return list(
        dict.fromkeys(v for v in read if not isinstance(v, Literal) and v in made)
    )


def _evaluate(eqns: Sequence[JaxprEqn], env: dict[Any, Any]) -> None:
    for eqn in eqns:
        out = _jaxpr.bind(eqn, [_jaxpr.read(v, env) for v in eqn.invars])
        env.update(zip(eqn.outvars, out))


def _kinds(jaxpr: Jaxpr, active: Sequence[bool]) -> list[str]:
    """Whether each equation is constant, affine or other in the active inputs."""
    depends = {v for v, flag in zip(jaxpr.invars, active) if flag}
    affine, kinds = set(depends), []
    for eqn in jaxpr.eqns:
        flags = [not isinstance(v, Literal) and v in depends for v in eqn.invars]
        operands = {v for v, flag in zip(eqn.invars, flags) if flag}
        straight = operands <= affine and _is_affine(eqn, flags)
        kinds.append(("affine" if straight else "other") if operands else "constant")
        depends.update(eqn.outvars if operands else ())
        affine.update(eqn.outvars if operands and straight else ())
    return kinds


def _is_affine(eqn: JaxprEqn, active: Sequence[bool]) -> bool:
    name, body = eqn.primitive.name, _jaxpr.call_body(eqn)
    if eqn.effects or any(_jaxpr.aval(v).dtype not in WIDE for v in eqn.outvars):
        return False
    if name in ("jit", "pjit") and body is not None:
        return "other" not in _kinds(body.jaxpr, active)
    if name == "div":
        return not active[1]
    return name in SUMS or ((name in PRODUCTS or name == "mul") and sum(active) == 1)


def _holds_product(eqn: JaxprEqn) -> bool:
    body = _jaxpr.call_body(eqn)
    inside = body is not None and any(map(_holds_product, body.jaxpr.eqns))
    return inside or eqn.primitive.name in PRODUCTS
