"""Evaluate a program, with some of its equations replaced."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn
from jax.extend.core import primitives as P

from .. import _checks
from ._programs import CUSTOM, bind, bodies, call_body, environment, read

Replace = Callable[[JaxprEqn], Callable[..., Any] | None]


def interpret(
    closed: ClosedJaxpr,
    args: Sequence[Any],
    replace: Replace,
    *,
    open_custom: bool,
) -> list[Any]:
    """Evaluate a program, with some of its equations replaced.

    Where `replace(eqn)` returns a function, it is called in the equation's place, with
    the same operands. Calls and loops are rebuilt only if they hold such an equation,
    so everything else keeps its compilation, rematerialisation and derivatives.
    Functions with a derivative of their own are opened only if `open_custom`.
    """

    @functools.cache
    def holds(jaxpr: Jaxpr) -> bool:
        return any(
            replace(eqn) is not None
            or any(holds(body.jaxpr) for body in _opened(eqn, open_custom))
            for eqn in jaxpr.eqns
        )

    def run(program: ClosedJaxpr, *args: Any) -> list[Any]:
        jaxpr, env = program.jaxpr, environment(program, args)
        for eqn in jaxpr.eqns:
            values = [read(v, env) for v in eqn.invars]
            replacement = replace(eqn)
            if replacement is not None:
                out = replacement(*values)
                out = list(out) if isinstance(out, list | tuple) else [out]
                _checks.replacement(eqn.primitive, out, [v.aval for v in eqn.outvars])
            elif any(holds(body.jaxpr) for body in _opened(eqn, open_custom)):
                out = rebuild(eqn, values, run)
            else:
                out = bind(eqn, values)
            env.update(zip(eqn.outvars, out, strict=True))
        return [read(v, env) for v in jaxpr.outvars]

    return run(closed, *args)


def _opened(eqn: JaxprEqn, open_custom: bool) -> list[ClosedJaxpr]:
    return [] if eqn.primitive in CUSTOM and not open_custom else bodies(eqn)


def rebuild(
    eqn: JaxprEqn, values: Sequence[Any], run: Callable[..., list[Any]]
) -> list[Any]:
    """Evaluate a call or a loop, with its body evaluated by `run(program, *args)`."""
    params = eqn.params
    if eqn.primitive is P.scan_p:
        return _rebuild_scan(params, values, run)
    if eqn.primitive is P.while_p:
        nc, nb = params["cond_nconsts"], params["body_nconsts"]
        test, body, carry = values[:nc], values[nc : nc + nb], values[nc + nb :]
        return jax.lax.while_loop(
            lambda c: run(params["cond_jaxpr"], *test, *c)[0],
            lambda c: run(params["body_jaxpr"], *body, *c),
            list(carry),
        )
    if eqn.primitive is P.cond_p:
        branches = [functools.partial(run, body) for body in params["branches"]]
        return jax.lax.switch(values[0], branches, *values[1:])
    body = call_body(eqn)
    if body is None:  # `bodies` opened it, so this is a bug of ours, not the user's.
        raise RuntimeError(f"no program inside `{eqn.primitive}`")
    if eqn.primitive is P.remat_p:
        return remat(eqn, functools.partial(run, body))(*values)
    return run(body, *values)


def remat(eqn: JaxprEqn, fn: Callable[..., Any]) -> Callable[..., Any]:
    """`fn`, rematerialised as the equation asks."""
    params = eqn.params
    return jax.checkpoint(
        fn, prevent_cse=params["prevent_cse"], policy=params["policy"]
    )


def _rebuild_scan(
    params: dict[str, Any], values: Sequence[Any], run: Callable[..., list[Any]]
) -> list[Any]:
    consts, carry, xs = scan_operands(params, values)

    def step(carry: list[Any], x: list[Any]) -> tuple[list[Any], list[Any]]:
        out = run(params["jaxpr"], *consts, *carry, *x)
        return out[: len(carry)], out[len(carry) :]

    carry, ys = jax.lax.scan(step, list(carry), list(xs), **scan_options(params))
    return [*carry, *ys]


def scan_operands(
    params: dict[str, Any], values: Sequence[Any]
) -> tuple[Sequence[Any], Sequence[Any], Sequence[Any]]:
    """What a scan closes over, what it carries, and what it steps through."""
    nc, nk = params["num_consts"], params["num_carry"]
    return values[:nc], values[nc : nc + nk], values[nc + nk :]


def scan_options(params: dict[str, Any]) -> dict[str, Any]:
    return {name: params[name] for name in ("length", "reverse", "unroll")}
