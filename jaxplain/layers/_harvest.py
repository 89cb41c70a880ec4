"""Evaluate a program, taking the values of one name out and putting others in."""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import jax
from jax.extend.core import ClosedJaxpr, JaxprEqn
from jax.extend.core import primitives as P

from .. import _jaxpr
from ._find import is_name, sites_of

Call: TypeAlias = list[Any]
"""The arrays of one call of a named value."""

Plant: TypeAlias = Callable[[Any, Any], Any]
"""What to put in: a function of the value there and of the one that is planted."""


def harvest(
    key: tuple[str, str],
    closed: ClosedJaxpr,
    args: Sequence[Any],
    plants: Sequence[Call | None],
    picked: Sequence[bool],
    plant: Plant,
) -> tuple[list[Any], list[Call]]:
    """The outputs of a program, and the values at the layer `key`, in order.

    `plants` and `picked` have an entry for each call: the arrays to put there, or None
    to leave it, and whether its value is wanted; it is empty otherwise. Equations that
    hold no picked call are evaluated as they are, so that custom derivatives, compiled
    functions and rematerialisation survive.
    """
    jaxpr, env = closed.jaxpr, _jaxpr.environment(closed, args)
    reaped: list[Call] = []
    left = iter(zip(plants, picked, strict=True))
    for eqn in jaxpr.eqns:
        values = [_jaxpr.read(v, env) for v in eqn.invars]
        count = sum(site.key == key for site in sites_of(eqn))
        here = [next(left) for _ in range(count)]
        if any(wanted for _, wanted in here):
            new, wanted = map(list, zip(*here, strict=True))
            out, more = _inside(key, eqn, values, new, wanted, plant)
            reaped += more
        else:
            out = _jaxpr.bind(eqn, values)
            reaped += [[] for _ in here]
        env.update(zip(eqn.outvars, out, strict=True))
    return [_jaxpr.read(v, env) for v in jaxpr.outvars], reaped


def _inside(
    key: tuple[str, str],
    eqn: JaxprEqn,
    values: list[Any],
    plants: list[Call | None],
    picked: list[bool],
    plant: Plant,
) -> tuple[list[Any], list[Call]]:
    if is_name(eqn):
        (new,) = plants
        if new is None:
            return values, [values]
        return [plant(o, n) for o, n in zip(values, new, strict=True)], [values]
    if eqn.primitive is P.scan_p:
        return _inside_scan(key, eqn, values, plants, picked, plant)
    body = _jaxpr.call_body(eqn)
    if body is None:  # `resolve` picks no call in there, so this is a bug of ours
        raise RuntimeError(f"cannot open `{eqn.primitive}`")
    run = functools.partial(harvest, key, body, picked=picked, plant=plant)
    if eqn.primitive is P.remat_p:
        again = _jaxpr.remat(eqn, lambda values, plants: run(values, plants))
        return again(values, plants)
    return run(values, plants)


def _inside_scan(
    key: tuple[str, str],
    eqn: JaxprEqn,
    values: list[Any],
    plants: list[Call | None],
    picked: list[bool],
    plant: Plant,
) -> tuple[list[Any], list[Call]]:
    """Plants ride in, and reaped values ride out, stacked over the steps."""
    params = eqn.params
    consts, carry, xs = _jaxpr.scan_operands(params, values)

    def step(carry: Any, x: Any) -> Any:
        inputs, plants = x
        args = [*consts, *carry, *inputs]
        out, reaped = harvest(key, params["jaxpr"], args, plants, picked, plant)
        return out[: len(carry)], (out[len(carry) :], reaped)

    carry, (ys, reaped) = jax.lax.scan(
        step, carry, (xs, plants), **_jaxpr.scan_options(params)
    )
    return [*carry, *ys], reaped


def regroup(flat: Iterator[Any], shapes: Sequence[Sequence[Any]]) -> list[Call]:
    """Cut a run of arrays into calls."""
    return [[next(flat) for _ in call] for call in shapes]
