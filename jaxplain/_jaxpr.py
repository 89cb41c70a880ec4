"""The one place that knows how JAX writes a program down.

Everything that touches `jax.extend.core` or the parameters of an equation is here
and in `layers`, which is built on these functions; `tests/test_jaxpr.py` pins them.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn, Literal
from jax.extend.core import primitives as P

from . import _checks

LOOPS = {P.scan_p: "scan", P.while_p: "while_loop", P.cond_p: "cond"}
CALLS = {"jit", "pjit", "closed_call", "core_call", "remat", "checkpoint", "remat2"}
CUSTOM = {P.custom_jvp_call_p, P.custom_vjp_call_p}

Replace = Callable[[JaxprEqn], Callable[..., Any] | None]


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


def environment(closed: ClosedJaxpr, args: Sequence[Any]) -> dict[Any, Any]:
    """The values that a program starts from: its constants and its arguments."""
    env = dict(zip(closed.jaxpr.constvars, closed.consts, strict=True))
    env.update(zip(closed.jaxpr.invars, args, strict=True))
    return env


def read(atom: Any, env: dict[Any, Any]) -> Any:
    """The value of a variable or a literal."""
    return atom.val if isinstance(atom, Literal) else env[atom]


def aval(atom: Any) -> Any:
    """The shape and dtype of a variable or a literal."""
    return atom.aval


def _evaluate(eqns: Sequence[JaxprEqn], env: dict[Any, Any]) -> None:
    for eqn in eqns:
        out = bind(eqn, [read(v, env) for v in eqn.invars])
        env.update(zip(eqn.outvars, out, strict=True))


def struct(aval: Any, length: int | None = None) -> jax.ShapeDtypeStruct:
    """The shape and dtype of a value, stacked `length` times, and its mesh axes."""
    shape = aval.shape if length is None else (length, *aval.shape)
    name = _axes_name(aval)
    axes = {name: getattr(aval, name)} if _varying(aval) else {}
    make: Any = jax.ShapeDtypeStruct
    return make(shape, aval.dtype, **axes)


def zeros(aval: Any) -> Any:
    """Zeros that vary over the mesh axes of a value, as its stand-in in a trace."""
    filled, axes = jnp.zeros(aval.shape, aval.dtype), _varying(aval)
    return jax.lax.pcast(filled, axes, to="varying") if axes else filled


def _axes_name(aval: Any) -> str:
    return "manual_axis_type" if hasattr(aval, "manual_axis_type") else "vma"


def _varying(aval: Any) -> tuple[str, ...]:
    """The mesh axes of `jax.shard_map` that a value varies over."""
    kind = getattr(aval, _axes_name(aval), None)
    return tuple(getattr(kind, "varying", kind) or ())


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
                return out
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
