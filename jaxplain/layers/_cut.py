"""Split a function at a name."""

from collections.abc import Callable
from typing import Any, Literal, get_args

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr
from jaxtyping import Array

from .. import _checks, _jaxpr, _modules, frameworks
from .._types import ScalarFn, Ts, X
from ._find import LayerError, by_name, resolve, sites
from ._harvest import harvest, regroup

Mode = Literal["replace", "shift"]


def taps(f: Callable[..., Any], x: Any, /, *args: Any) -> dict[str, Any]:
    """The values that have a name inside `f`, with their shapes.

    What modules of Flax, Equinox and Keras return is named by their paths, such as
    `"block/conv"`; any other value by `tap`. One abstract trace: nothing is computed.

    Args:
        f: Any JAX function.
        x: First argument of `f`.
        *args: The others.

    Returns:
        In order of execution, each name and what `cut` gives there, as
        `jax.ShapeDtypeStruct`: a pytree of them where the value is one, a list where
        the layer is called several times, and with a leading axis of steps where it is
        called inside a scan.

    Example:
        >>> f = lambda x: tap(2.0 * x, "doubled").sum()
        >>> taps(f, jnp.ones(3))
        {'doubled': ShapeDtypeStruct(shape=(3,), dtype=float32)}
    """
    f = _modules.functional(f)
    with frameworks.listening():
        closed, _, _ = _jaxpr.trace(f, x, *args)
    values = {
        name: [site.value for site in calls]
        for name, calls in by_name(sites(closed)).items()
    }
    return {name: v[0] if len(v) == 1 else v for name, v in values.items()}


def cut(
    f: ScalarFn[X, *Ts],
    x: X,
    /,
    *args: *Ts,
    at: str,
    mode: Mode = "replace",
) -> tuple[Any, Callable[[Any], Array]]:
    r"""Split `f` at a layer: the value there, and the rest of `f` as a function of it.

    $$f(x) = \mathrm{head}(\mathrm{value})$$

    `head` is an `f` of its own, so every explainer explains a layer: integrated
    gradients of `head` at `value` are the layer's. It works on the traced program, so
    the model is not edited. `head` holds only what depends on the layer; skip
    connections around it are computed once, here. Free after compilation.

    The layer may sit inside `jax.jit`, `jax.checkpoint`, `jax.vmap` and `jax.lax.scan`
    (as in `nn.RNN`), where its value is stacked over the steps. A layer that is called
    several times gives a list; `at="name@1"` picks the second call. A function with a
    derivative of its own that holds the layer is differentiated as it is written.

    Args:
        f: Function to split.
        x: First argument of `f`.
        *args: The others. Python numbers among them stay as they are.
        at: Name of the layer, as listed by `taps`, or the end of its path if no other
            layer ends so.
        mode: What `head` does with a new value, which differs only where the layer
            runs more than once. `"replace"` puts it in the old one's place, so that
            later calls do not feel earlier ones. `"shift"` adds the difference in
            place, so that its gradient runs through a recurrence too.

    Returns:
        `value, head`, with `head(value)` equal to `f(x, *args)`, differentiable.

    Raises:
        LayerError: If there is no such layer, with a list of those that there are, or
            if it sits inside `jax.lax.cond`, `jax.lax.while_loop` or
            `jax.shard_map`, or `f` writes to a mutable array.
        ValueError: If `mode` is neither of the two, or `head` is given another shape.

    Example:
        >>> f = lambda x: (tap(x**2, "squares") * jnp.array([1.0, 10.0])).sum()
        >>> squares, head = cut(f, jnp.array([2.0, 3.0]), at="squares")
        >>> squares, saliency(head)(squares)
        (Array([4., 9.], dtype=float32), Array([ 1., 10.], dtype=float32))
    """
    _checks.choice("mode", mode, get_args(Mode))
    f = _modules.functional(f)
    with frameworks.listening():
        closed, leaves, shape = _jaxpr.trace(f, x, *args)
    found = sites(closed)
    calls, picked = resolve(found, at)
    key = calls[0].key
    if _mutates(closed):
        raise LayerError(
            f"cannot cut at {at!r}: `f` writes to a mutable array, and what comes "
            "before the layer would be cut from what comes after it. Return the new "
            "value instead."
        )
    specs = [list(calls[i].shapes) for i in picked]
    wanted = [i in picked for i in range(len(calls))]
    plant = (lambda old, new: new) if mode == "replace" else jnp.add

    def planted(new: list[Any], leaves: list[Any]) -> tuple[list[Any], list[Any]]:
        plants: list[Any] = [None] * len(calls)
        for i, value in zip(picked, new, strict=True):
            plants[i] = value
        outs, reaped = harvest(key, closed, leaves, plants, wanted, plant)
        return outs, [reaped[i] for i in picked]

    joint = jax.make_jaxpr(planted)(jax.tree.map(_jaxpr.zeros, specs), leaves)
    num_new = sum(map(len, specs))
    num_out = len(jax.tree.leaves(shape))
    early, late = _jaxpr.split(joint, num_new, num_out)
    reaped, residuals = early(*leaves)
    if any(value is None for value in reaped):
        # A later call depends on an earlier one: only a plain run has them all.
        _, runs = harvest(key, closed, leaves, [None] * len(calls), wanted, plant)
        reaped = [value for i in picked for value in runs[i]]
    trees = [calls[i].tree for i in picked]
    values = [
        jax.tree.unflatten(tree, call)
        for tree, call in zip(trees, regroup(iter(reaped), specs), strict=True)
    ]
    value = values[0] if len(values) == 1 else values

    def head(new: Any) -> Array:
        arrays = _checks.same_shapes(new, value, at)
        if mode == "shift":
            arrays = [n - old for n, old in zip(arrays, reaped, strict=True)]
        return _jaxpr.unflatten_like(shape, late(arrays, residuals))

    return value, head


def _mutates(closed: ClosedJaxpr) -> bool:
    """Does a program read or write a mutable array?"""
    kinds = {"ReadEffect", "WriteEffect", "AccumEffect"}
    return any(
        type(effect).__name__ in kinds
        for eqn in closed.jaxpr.eqns
        for effect in eqn.effects
    )
