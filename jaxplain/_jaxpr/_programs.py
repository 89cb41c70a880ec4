"""Trace a function, and read and evaluate what it is made of."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.extend import source_info_util
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn, Literal
from jax.extend.core import primitives as P

LOOPS = {P.scan_p: "scan", P.while_p: "while_loop", P.cond_p: "cond"}
CALLS = {"jit", "pjit", "closed_call", "core_call", "remat", "checkpoint", "remat2"}
CUSTOM = {P.custom_jvp_call_p, P.custom_vjp_call_p}


def is_array(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array | np.ndarray | np.generic)


def trace(f: Callable[..., Any], *args: Any) -> tuple[ClosedJaxpr, list[Any], Any]:
    """Trace `f`: its jaxpr, the array leaves it takes, and its output's shapes.

    Only arrays are traced: a Python number stays the number that `f` was given.
    """
    leaves, treedef = jax.tree.flatten(args)
    where = [i for i, leaf in enumerate(leaves) if is_array(leaf)]

    def on_arrays(arrays: list[Any]) -> Any:
        filled = list(leaves)
        for i, array in zip(where, arrays, strict=True):
            filled[i] = array
        return f(*treedef.unflatten(filled))

    arrays = [leaves[i] for i in where]
    closed, shape = jax.make_jaxpr(on_arrays, return_shape=True)(arrays)
    return closed, arrays, shape


def unflatten_like(shape: Any, leaves: Sequence[Any]) -> Any:
    return jax.tree.unflatten(jax.tree.structure(shape), leaves)


def environment(closed: ClosedJaxpr, args: Sequence[Any]) -> dict[Any, Any]:
    """The values that a program starts from: its constants and its arguments."""
    env = dict(zip(closed.jaxpr.constvars, closed.consts, strict=True))
    env.update(zip(closed.jaxpr.invars, args, strict=True))
    return env


def read(atom: Any, env: dict[Any, Any]) -> Any:
    """The value of a variable or a literal."""
    return atom.val if isinstance(atom, Literal) else env[atom]


def bind(eqn: JaxprEqn, values: Sequence[Any]) -> list[Any]:
    """Evaluate one equation as it stands."""
    params = eqn.primitive.get_bind_params(eqn.params)
    # Until JAX 0.10, functions came apart from the other parameters.
    functions, params = params if isinstance(params, tuple) else ((), params)
    with eqn.ctx.manager:
        out = eqn.primitive.bind(*functions, *values, **params)
    return list(out) if eqn.primitive.multiple_results else [out]


def call_body(eqn: JaxprEqn) -> ClosedJaxpr | None:
    """The program that a call-like equation runs once (jit, remat, custom_jvp...)."""
    if eqn.primitive not in CUSTOM and eqn.primitive.name not in CALLS:
        return None  # a body with axes or blocks of its own is no plain call
    for name in ("jaxpr", "call_jaxpr", "fun_jaxpr"):
        body = eqn.params.get(name)
        if body is not None:
            return body if isinstance(body, ClosedJaxpr) else ClosedJaxpr(body, ())
    return None


def bodies(eqn: JaxprEqn) -> list[ClosedJaxpr]:
    """Every program inside an equation, however often it runs."""
    if eqn.primitive is P.cond_p:
        return list(eqn.params["branches"])
    if eqn.primitive is P.while_p:
        return [eqn.params["cond_jaxpr"], eqn.params["body_jaxpr"]]
    if eqn.primitive is P.scan_p:
        return [eqn.params["jaxpr"]]
    body = call_body(eqn)
    return [] if body is None else [body]


def hidden_bodies(eqn: JaxprEqn) -> list[ClosedJaxpr]:
    """Programs inside an equation that we do not open, such as `shard_map`."""
    found = [v for v in eqn.params.values() if isinstance(v, Jaxpr | ClosedJaxpr)]
    return [v if isinstance(v, ClosedJaxpr) else ClosedJaxpr(v, ()) for v in found]


def is_literal(atom: Any) -> bool:
    return isinstance(atom, Literal)


def uses(jaxpr: Jaxpr) -> Counter[Any]:
    """How often each variable is read."""
    read = [*(v for eqn in jaxpr.eqns for v in eqn.invars), *jaxpr.outvars]
    return Counter(v for v in read if not isinstance(v, Literal))


def scopes(eqn: JaxprEqn) -> tuple[str, ...]:
    """The `jax.named_scope`s around an equation, outermost first."""
    stack = eqn.source_info.name_stack.stack
    return tuple(s.name for s in stack if type(s).__name__ == "Scope")


def line(eqn: JaxprEqn) -> str:
    """The line of the user's code that an equation comes from; empty if unknown."""
    return source_info_util.summarize(eqn.source_info)
