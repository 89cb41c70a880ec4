"""The layers of a model's parameters, from the output down."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, JaxprEqn
from jax.extend.core import primitives as P

from .. import _jaxpr
from .._types import Explains


def parameter_layers(
    explain: Explains[Any],
    params: Any,
    x: Any,
    /,
    *args: Any,
    layers: Sequence[str] | None = None,
    **refs: Any,
) -> tuple[str, ...]:
    """The layers that `parameter_randomisation` randomises, in its order.

    A layer is what holds parameters directly: the leaves of one module, or a leaf at
    the top of the tree. The one that meets the data last, as the program of `explain`
    goes forward, is the nearest to the output and comes first. Parameters that never
    meet the data come last. One abstract trace: nothing is computed.

    Args:
        explain: `explain(params, x, *args, **refs)`, or the model itself.
        params: Its parameters: any pytree, such as the variables of a linen module or
            the state of an nnx module.
        x: Input.
        *args: The other arguments of `explain`.
        layers: Names to look up instead: layers or beginnings of their paths, such as
            `("head", "blocks/1")`, from the output down.
        **refs: Keywords of `explain`, such as `baseline=0.0`.

    Returns:
        Paths into `params`, joined by `/`.

    Raises:
        ValueError: If `params` holds no floating-point array, or a name in `layers` is
            the beginning of none of its paths.

    Example:
        >>> params = {"first": jnp.ones((2, 2)), "second": jnp.ones(2)}
        >>> model = lambda p, x: p["second"] @ jnp.tanh(p["first"] @ x)
        >>> parameter_layers(model, params, jnp.ones(2))
        ('second', 'first')
    """
    return layers_of(explain, params, x, args, refs, layers)[0]


def layers_of(
    explain: Explains[Any],
    params: Any,
    x: Any,
    args: tuple[Any, ...],
    refs: dict[str, Any],
    layers: Sequence[str] | None,
) -> tuple[tuple[str, ...], list[int]]:
    """The names of the layers, and for each leaf the place of its own.

    A leaf that belongs to none has a place after the last.
    """
    paths = [
        _components(path) for path, _ in jax.tree_util.tree_leaves_with_path(params)
    ]
    numbers = [_is_number(leaf) for leaf in jax.tree.leaves(params)]
    if not any(numbers):
        raise ValueError(
            "`params` must hold floating-point arrays, but has none in "
            f"{jax.tree.structure(params)}. Pass the parameters of the model as the "
            "first argument, and let `explain(params, x)` use them."
        )
    owners = [path[:-1] or path for path in paths]
    if layers is not None:
        return tuple(layers), _places(paths, numbers, layers)
    first = first_use(explain, params, x, args, refs)
    met: dict[tuple[str, ...], int] = {}
    for i, owner in enumerate(owners):
        if numbers[i]:
            turn = first.get(i, -1)
            met[owner] = min(met.get(owner, turn), turn)
    last_first = sorted(met, key=lambda owner: met[owner], reverse=True)
    names = tuple("/".join(owner) for owner in last_first)
    index = {owner: i for i, owner in enumerate(last_first)}
    return names, [
        index[o] if n else len(names) for o, n in zip(owners, numbers, strict=True)
    ]


def _places(
    paths: list[tuple[str, ...]], numbers: list[bool], layers: Sequence[str]
) -> list[int]:
    """Where each leaf comes in the list of the user, by the first name that fits."""
    if isinstance(layers, str):
        raise TypeError(
            f"`layers` must be a sequence of names, but is the string {layers!r}. "
            f"Write `layers=({layers!r},)`."
        )
    parts = [tuple(name.split("/")) for name in layers]
    for name, part in zip(layers, parts, strict=True):
        if not any(p[: len(part)] == part and n for p, n in zip(paths, numbers)):
            known = dict.fromkeys("/".join(p[:-1] or p) for p in paths)
            raise ValueError(
                f"no parameters in layer {name!r}: `layers` must name the beginnings "
                f"of paths in `params`. Its layers are {', '.join(map(repr, known))}."
            )
    return [
        next((i for i, p in enumerate(parts) if n and path[: len(p)] == p), len(parts))
        for path, n in zip(paths, numbers, strict=True)
    ]


def _components(path: Sequence[Any]) -> tuple[str, ...]:
    """The path of a leaf; variables of nnx hold it one step further down."""
    keys = jax.tree_util
    words = [
        str(getattr(k, "key", getattr(k, "idx", getattr(k, "name", k)))) for k in path
    ]
    wrapped = len(path) > 1 and isinstance(path[-1], keys.GetAttrKey)
    return tuple(
        words[:-1] if wrapped and words[-1] in ("value", "raw_value") else words
    )


def _is_number(leaf: Any) -> bool:
    return _jaxpr.is_array(leaf) and jnp.issubdtype(leaf.dtype, jnp.floating)


def first_use(
    explain: Explains[Any], params: Any, x: Any, args: tuple[Any, ...], refs: Any
) -> dict[int, int]:
    """When each leaf of the parameters first meets the data, if it does."""

    def program(params: Any, data: Any) -> Any:
        x, args, refs = data
        return explain(params, x, *args, **refs)

    closed, arrays, _ = _jaxpr.trace(program, params, (x, args, refs))
    where = [
        i for i, leaf in enumerate(jax.tree.leaves(params)) if _jaxpr.is_array(leaf)
    ]
    data = [Source(frozenset(), True)] * (len(arrays) - len(where))
    turns: dict[int, int] = {}
    _follow(closed, [Source(frozenset({i}), False) for i in where] + data, turns)
    return turns


class Source(NamedTuple):
    """What a value is made of: parameters alone, or data too."""

    params: frozenset[int]
    data: bool


CONSTANT = Source(frozenset(), False)


def _follow(
    closed: ClosedJaxpr, sources: Sequence[Source], turns: dict[int, int]
) -> list[Source]:
    """Walk a program in order, and note each parameter where it meets the data.

    Not where it is first read: that may only cast it to another dtype.
    """
    env: dict[Any, Source] = dict(zip(closed.jaxpr.invars, sources, strict=True))
    known = lambda v: CONSTANT if _jaxpr.is_literal(v) else env.get(v, CONSTANT)
    for eqn in closed.jaxpr.eqns:
        operands = [known(v) for v in eqn.invars]
        outs = [
            _follow(body, operands[start:][: len(body.jaxpr.invars)], turns)
            for start, body in _bodies(eqn)
        ]
        if outs:
            made = [_join(several) for several in zip(*outs, strict=True)]
        else:
            joint = _join(operands)
            if joint.data:
                for i in sorted(joint.params):
                    turns.setdefault(i, len(turns))
                joint = Source(frozenset(), True)
            made = [joint] * len(eqn.outvars)
        env.update(zip(eqn.outvars, made, strict=True))
    return [known(v) for v in closed.jaxpr.outvars]


def _join(sources: Sequence[Source]) -> Source:
    params = frozenset[int]().union(*(s.params for s in sources))
    return Source(params, any(s.data for s in sources))


def _bodies(eqn: JaxprEqn) -> list[tuple[int, ClosedJaxpr]]:
    """The programs inside an equation that return what it returns.

    With the first of the operands that each of them takes.
    """
    if eqn.primitive is P.while_p:
        return [(eqn.params["cond_nconsts"], eqn.params["body_jaxpr"])]
    if eqn.primitive is P.cond_p:
        return [(1, body) for body in eqn.params["branches"]]
    inside = _jaxpr.bodies(eqn) or _jaxpr.hidden_bodies(eqn)
    return [
        (0, body)
        for body in inside
        if len(body.jaxpr.invars) == len(eqn.invars)
        and len(body.jaxpr.outvars) == len(eqn.outvars)
    ]
