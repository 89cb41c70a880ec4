"""What comes before a value, what comes after it, and what depends on it."""

from collections.abc import Callable, Sequence
from typing import Any

from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn, Literal
from jax.extend.core import primitives as P

from ._programs import bind, call_body, read


def split(
    closed: ClosedJaxpr, num_new: int, num_out: int
) -> tuple[Callable[..., tuple[list[Any], list[Any]]], Callable[..., list[Any]]]:
    """Split `(new, *args) -> (*outs, *extras)` into what comes before and after `new`.

    Returns `early(*args) -> extras, residuals` and `late(new, residuals) -> outs`.
    `late` holds only the equations that depend on `new`, so that calling it in a loop
    repeats nothing. An extra that depends on `new` comes back as None.
    """
    jaxpr = closed.jaxpr
    new, args = jaxpr.invars[:num_new], jaxpr.invars[num_new:]
    outs, extras = jaxpr.outvars[:num_out], jaxpr.outvars[num_out:]
    after, early, late = set(new), [], []
    for eqn in jaxpr.eqns:
        depends = not after.isdisjoint(_variables(eqn.invars))
        (late if depends else early).append(eqn)
        if depends:
            after.update(eqn.outvars)
    late, needed = _needed(late, outs)
    made = [*args, *jaxpr.constvars, *(v for eqn in early for v in eqn.outvars)]
    residuals = [v for v in made if v in needed]
    known = [v for v in extras if isinstance(v, Literal) or v not in after]
    early, _ = _needed(early, [*known, *residuals])

    def run_early(*values: Any) -> tuple[list[Any], list[Any]]:
        env = dict(zip(jaxpr.constvars, closed.consts, strict=True))
        env.update(zip(args, values, strict=True))
        _evaluate(early, env)
        before = [read(v, env) if v in known else None for v in extras]
        return before, [env[v] for v in residuals]

    def run_late(values: Sequence[Any], residual_values: Sequence[Any]) -> list[Any]:
        env = dict(zip(residuals, residual_values, strict=True))
        env.update(zip(new, values, strict=True))
        _evaluate(late, env)
        return [read(v, env) for v in outs]

    return run_early, run_late


def _evaluate(eqns: Sequence[JaxprEqn], env: dict[Any, Any]) -> None:
    for eqn in eqns:
        out = bind(eqn, [read(v, env) for v in eqn.invars])
        env.update(zip(eqn.outvars, out, strict=True))


def _variables(atoms: Sequence[Any]) -> list[Any]:
    return [v for v in atoms if not isinstance(v, Literal)]


def _needed(
    eqns: Sequence[JaxprEqn], outs: Sequence[Any]
) -> tuple[list[JaxprEqn], set]:
    """The equations that the outputs need, and everything that is read on the way."""
    needed, kept = set(_variables(outs)), []
    for eqn in reversed(eqns):
        if eqn.effects or not needed.isdisjoint(eqn.outvars):
            kept.append(eqn)
            needed.update(_variables(eqn.invars))
    return kept[::-1], needed


def dependents(eqn: JaxprEqn, active: Sequence[bool]) -> list[bool]:
    """Which outputs of an equation depend on those operands that are `active`."""
    if eqn.primitive is P.scan_p:
        start = eqn.params["num_consts"]
        carry = slice(start, start + eqn.params["num_carry"])
        active = list(active)
        while True:
            out = _depend(eqn.params["jaxpr"].jaxpr, active)
            grown = [a or b for a, b in zip(active[carry], out)]
            if grown == active[carry]:
                return [*grown, *out[len(grown) :]]  # a carry keeps one type
            active[carry] = grown
    body = call_body(eqn)
    if body is not None:
        return _depend(body.jaxpr, active)
    return [any(active)] * len(eqn.outvars)


def _depend(jaxpr: Jaxpr, active: Sequence[bool]) -> list[bool]:
    touched = {v for v, flag in zip(jaxpr.invars, active, strict=True) if flag}
    for eqn in jaxpr.eqns:
        flags = [not isinstance(v, Literal) and v in touched for v in eqn.invars]
        if any(flags):
            out = dependents(eqn, flags)
            touched.update(v for v, flag in zip(eqn.outvars, out) if flag)
    return [not isinstance(v, Literal) and v in touched for v in jaxpr.outvars]
