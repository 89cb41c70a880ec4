"""How a check calls: the user's function and input, or what it draws itself."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import jax
import numpy as np
from jaxtyping import PyTree

from .. import _modules
from . import _draw, _polynomial

ExplainOf: TypeAlias = Callable[..., Callable[..., Any]]
"""`make(f)` returns `explain(x, *args, **refs)`."""

Jit: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]


def compiled(explain: Callable[..., Any], jit: Jit) -> Callable[..., Any]:
    """Compiled by `jit`, unless it is compiled already."""
    return explain if isinstance(explain, jax.stages.Wrapped) else jit(explain)


def plain(explain: Callable[..., Any]) -> Callable[..., Any]:
    """What was compiled: options of a compiler belong to the outermost program."""
    wrapped = isinstance(explain, jax.stages.Wrapped)
    return getattr(explain, "__wrapped__", explain) if wrapped else explain


def one_call(
    f: Callable[..., Any] | None,
    x: PyTree,
    args: tuple[Any, ...],
    refs: Mapping[str, Any],
    seed: int,
    example: int = 0,
) -> tuple[Callable[..., Any], PyTree, tuple[Any, ...], dict[str, Any]]:
    """The user's `f` at `x`, or the polynomial at an input that is drawn."""
    own_all(f, x=x)
    rng = _draw.source(seed, example)
    if f is None:
        call = _polynomial.call(rng, dict(refs))
        return _polynomial.polynomial, call.x, call.args, call.refs
    return f, x, args, _draw.fill(rng, refs, x)


def own_all(f: Callable[..., Any] | None, **values: Any) -> None:
    """What belongs to a function of the user comes with it, and only with it."""
    for name, value in values.items():
        if f is not None and value is None:
            raise ValueError(
                f"`{name}` is missing: it belongs to `f`. Pass `{name}=`, or leave out "
                "`f` to check on a polynomial whose inputs are drawn."
            )
        if f is None and value is not None:
            raise ValueError(
                f"`{name}` comes without `f`, to which it belongs: it would be "
                f"ignored. Pass `f=`, or leave out `{name}`."
            )


def scalar_of(f: Callable[..., Any]) -> Callable[..., float]:
    """The value of `f` as a Python number."""
    value = jax.jit(_modules.functional(f))

    def at(x: PyTree, *args: Any) -> float:
        out = value(x, *args)
        if np.shape(out) != ():
            raise ValueError(
                f"`f` must return a scalar, but returned shape {np.shape(out)}. "
                "Select one output, for example `lambda x: model(x)[label]`."
            )
        return float(out)

    return at


def shown(x: PyTree, refs: Mapping[str, Any]) -> dict[str, Any]:
    """What a message shows of a call."""
    return {"x": x, **refs}
