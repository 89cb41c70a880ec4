"""Values that depend on the input, and the interpreter that follows them.

A rule-based method evaluates the traced program forward, with some equations replaced
by twins: the same value, another reverse pass (`jax.custom_vjp`). JAX then does the
sweep back, so sums over branches, scans, `jit` and `vmap` stay its business.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias, cast

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, JaxprEqn
from jax.extend.core import primitives as P

from .. import _jaxpr
from ._place import NOWHERE, Place

Roots: TypeAlias = tuple[Any, ...]
Role: TypeAlias = Literal["input", "signal", "gate", "constant"]


@dataclasses.dataclass(frozen=True, eq=False)
class Active:
    """A value that depends on the input: there, and at the reference if there is one.

    Attributes:
        streams: The value at the input, and the value at the reference.
        roots: Values of which it is an elementwise function, nearest last, evaluated or
            pending. They are told apart by identity, and forgotten at the border of a
            loop.
        role: What LRP makes of it. An input is not through a layer yet; a gate scales a
            signal, and gets no relevance.
    """

    streams: tuple[Any, ...]
    roots: Roots = ()
    role: Role = "signal"

    @property
    def value(self) -> Any:
        return self.streams[0]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    @property
    def dtype(self) -> Any:
        return self.value.dtype

    @property
    def settled(self) -> "Active":
        return self


jax.tree_util.register_pytree_node(
    Active,
    lambda a: (a.streams, a.role),
    lambda role, streams: Active(tuple(streams), role=cast(Role, role)),
)

Book: TypeAlias = Callable[[JaxprEqn, list[Any], Place], list[Any]]
"""A method's rules: evaluates an equation of which some operands are `Active`."""


def settle(value: Any) -> Any:
    """`value`, evaluated if it is pending."""
    return value.settled if is_active(value) else value


def is_active(value: Any) -> bool:
    """Is it an `Active`, or something that will be one as soon as it is `settled`?"""
    return hasattr(value, "settled")


def follow(
    closed: ClosedJaxpr, args: Sequence[Any], book: Book, place: Place = NOWHERE
) -> list[Any]:
    """Evaluate a program; `book` evaluates every equation that touches an `Active`.

    Calls are opened, whatever derivative they have; loops, branches and checkpoints are
    rebuilt around their bodies.
    """
    env, uses = _jaxpr.environment(closed, args), _jaxpr.uses(closed.jaxpr)
    for eqn in closed.jaxpr.eqns:
        values = [_jaxpr.read(v, env) for v in eqn.invars]
        # What follows folds into a pending value only if nothing else looks at it:
        # else the layer would be evaluated again for each who does.
        values = [
            value if _jaxpr.is_literal(v) or uses[v] == 1 else settle(value)
            for v, value in zip(eqn.invars, values, strict=True)
        ]
        here = place.inside(eqn)
        if not any(map(is_active, values)):
            out = _jaxpr.bind(eqn, values)
        elif not eqn.outvars:  # such as `jax.debug.print`: once, and not at a reference
            settled = map(settle, values)
            _jaxpr.bind(eqn, [v.value if is_active(v) else v for v in settled])
            out = []
        elif eqn.primitive is P.scan_p:
            out = _scan(eqn, list(map(settle, values)), book, here)
        elif eqn.primitive is P.while_p:
            raise NotImplementedError(
                "`jax.lax.while_loop` has no reverse pass, so no rule can go back "
                f"through the one {here}. Use `jax.lax.scan`, or "
                "`jax.lax.fori_loop` with a fixed number of steps."
            )
        elif (body := _jaxpr.call_body(eqn)) is None:
            out = book(eqn, values, here)
        elif eqn.primitive is P.remat_p:
            out = _checkpoint(eqn, body, list(map(settle, values)), book, here)
        else:
            out = follow(body, values, book, here)
        env.update(zip(eqn.outvars, out, strict=True))
    return [_jaxpr.read(v, env) for v in closed.jaxpr.outvars]


def _checkpoint(
    eqn: JaxprEqn, body: ClosedJaxpr, values: list[Any], book: Book, place: Place
) -> list[Any]:
    def run(*values: Any) -> list[Any]:
        return list(map(settle, follow(body, values, book, place)))

    return _jaxpr.remat(eqn, run)(*values)


def branched(
    eqn: JaxprEqn, values: Sequence[Any], book: Book, place: Place
) -> list[Any]:
    """`jax.lax.cond`: the branch that the input takes, for the reference too."""
    index, *operands = map(settle, values)
    count = _num_streams([index, *operands])

    def branch(body: ClosedJaxpr) -> Callable[..., list[Any]]:
        def run(*operands: Any) -> list[Any]:
            return [_lift(o, count) for o in follow(body, operands, book, place)]

        return run

    branches = [branch(body) for body in eqn.params["branches"]]
    index = index.value if is_active(index) else index
    return jax.lax.switch(index, branches, *operands)


def _scan(eqn: JaxprEqn, values: list[Any], book: Book, place: Place) -> list[Any]:
    params, count = eqn.params, _num_streams(values)
    touched = _jaxpr.dependents(eqn, [is_active(v) for v in values])
    consts, carry, xs = _jaxpr.scan_operands(params, values)
    num = len(carry)

    def lift(outs: Sequence[Any]) -> list[Any]:
        flags = zip(outs, touched[:num], strict=True)
        return [_lift(o, count) if flag else o for o, flag in flags]

    def step(carry: list[Any], x: list[Any]) -> tuple[list[Any], list[Any]]:
        out = follow(params["jaxpr"], [*consts, *carry, *x], book, place)
        return lift(out[:num]), list(map(settle, out[num:]))

    start = lift(carry)
    carry, ys = jax.lax.scan(step, start, list(xs), **_jaxpr.scan_options(params))
    return [*carry, *ys]


def _num_streams(values: Sequence[Any]) -> int:
    return next(len(v.streams) for v in values if is_active(v))


def _lift(value: Any, count: int) -> Active:
    """A fresh `Active`, of which nothing is known: it may come from several places."""
    value = settle(value)
    return Active(value.streams if is_active(value) else (value,) * count)


def floats(values: Sequence[Any]) -> list[int]:
    """Which operands carry a gradient."""
    return [
        i
        for i, v in enumerate(values)
        if is_active(v) and jnp.issubdtype(v.dtype, jnp.inexact)
    ]


def plain(eqn: JaxprEqn, values: Sequence[Any], **known: Any) -> list[Active]:
    """The equation as it stands, on every stream."""
    values = list(map(settle, values))
    streams = [
        _jaxpr.bind(eqn, [v.streams[i] if is_active(v) else v for v in values])
        for i in range(_num_streams(values))
    ]
    return [Active(out, **known) for out in zip(*streams, strict=True)]


class Local(NamedTuple):
    """One equation, as a rule sees it.

    Attributes:
        fn: The equation, as a function of those operands that carry a gradient.
        xs: Their values at the input.
        ys: What comes out at the input.
        refs: Their values at the reference; empty where there is none.
        ref_ys: What comes out at the reference.
    """

    fn: Callable[..., list[Any]]
    xs: list[Any]
    ys: list[Any]
    refs: list[Any]
    ref_ys: list[Any]

    def pull(self, xs: Sequence[Any], cts: list[Any]) -> list[Any]:
        """The ordinary reverse pass, at other operands."""
        return list(jax.vjp(self.fn, *xs)[1](cts))


Rule: TypeAlias = Callable[[Local, list[Any]], list[Any]]
"""From what arrives at the outputs to what goes on to each operand."""


def ruled(
    rule: Rule,
    eqn: JaxprEqn,
    values: Sequence[Any],
    extra: Sequence[Active] = (),
    **known: Any,
) -> list[Active]:
    """The equation, with `rule` for its reverse pass.

    `extra` values come first among the operands that the rule sees, although the
    equation does not read them. All that the twin needs is passed to it: a closure over
    a tracer would leak out of the body of a scan.
    """
    values = list(map(settle, values))
    at, skip = floats(values), len(extra)

    def run(xs: list[Any], rest: list[Any]) -> list[Any]:
        full = list(rest)
        for i, x in zip(at, xs[skip:], strict=True):
            full[i] = x
        return _jaxpr.bind(eqn, full)

    def rest(stream: int) -> list[Any]:
        return [
            None if i in at else v.streams[stream] if is_active(v) else v
            for i, v in enumerate(values)
        ]

    @jax.custom_vjp
    def twin(xs: list[Any], rest: list[Any], reference: Any) -> list[Any]:
        return run(xs, rest)

    def forward(xs: list[Any], rest: list[Any], reference: Any) -> Any:
        ys = run(xs, rest)
        return ys, (xs, ys, rest, reference)

    def backward(saved: Any, cts: list[Any]) -> Any:
        xs, ys, rest, (refs, ref_ys) = saved
        local = Local(lambda *xs: run(list(xs), rest), xs, ys, refs, ref_ys)
        return rule(local, cts), None, None

    twin.defvjp(forward, backward)
    operands = [*extra, *(values[i] for i in at)]
    xs, *others = (
        [v.streams[i] for v in operands] for i in range(_num_streams(values))
    )
    refs = others[0] if others else []
    ref_ys = run(refs, rest(1)) if others else []
    ys = twin(xs, rest(0), (refs, ref_ys))
    pairs = zip(ys, ref_ys, strict=True) if others else zip(ys)
    return [Active(pair, **known) for pair in pairs]


def common_roots(values: Sequence[Any]) -> Roots:
    """The values of which all the active operands are elementwise functions."""
    first, *others = [(*v.roots, v) for v in values if is_active(v)]
    return tuple(
        root for root in first if all(any(root is r for r in o) for o in others)
    )


def fits(eqn: JaxprEqn, value: Any) -> bool:
    """Is `value` of the shape of what the equation returns?"""
    return value.shape == _jaxpr.aval(eqn.outvars[0]).shape


def stretched(value: Any, eqn: JaxprEqn) -> Any:
    """An active operand of the shape of the result, so that no rule broadcasts."""
    if not is_active(value) or fits(eqn, value):
        return value
    shape = _jaxpr.aval(eqn.outvars[0]).shape
    streams = tuple(jnp.broadcast_to(s, shape) for s in settle(value).streams)
    return Active(streams, role=value.role)
