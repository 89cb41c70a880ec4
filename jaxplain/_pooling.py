"""The gradient of max pooling, written for XLA's CPU compiler."""

import functools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend.core import JaxprEqn
from jax.extend.core import primitives as P
from jaxtyping import Array

from . import _checks, _jaxpr, _platform
from ._types import ScalarFn, Ts, X

# Beyond it, visiting the windows one by one is as fast: see `docs/performance.md`.
LARGEST_WINDOW = 49
WORST = {P.ge_p: -np.inf, P.le_p: np.inf}


def gradient(f: ScalarFn[X, *Ts]) -> Callable[..., X]:
    """`jax.grad(f)`, with a fast gradient of max pooling on CPU.

    XLA's CPU compiler visits the windows one entry at a time, which takes longer than
    the rest of a convolutional network. The values are the same, ties included. What is
    rewritten is the program of the gradient, so no rule of differentiation changes.
    `f` is traced once.
    """

    def fast(x: X, /, *args: *Ts) -> X:
        if not any(map(_checks.is_traced, jax.tree.leaves(x))):
            # Called eagerly, `f` sees values and may branch on them: let it.
            return jax.grad(f)(x, *args)
        of_x = lambda x: jax.grad(f)(x, *args)
        closed, leaves, shape = _jaxpr.trace(of_x, x)
        out = _jaxpr.interpret(closed, leaves, _replacement, open_custom=False)
        return _jaxpr.unflatten_like(shape, out)

    return fast


@_platform.on_cpu
def _replacement(eqn: JaxprEqn) -> Callable[..., Any] | None:
    if eqn.primitive is not P.select_and_scatter_add_p or not _wins(eqn):
        return None
    return functools.partial(_scatter, **eqn.params)


def _wins(eqn: JaxprEqn) -> bool:
    source = _jaxpr.aval(eqn.invars[0])
    small = math.prod(eqn.params["window_dimensions"]) <= LARGEST_WINDOW
    return small and source.size > 0 and jnp.issubdtype(source.dtype, jnp.floating)


@functools.partial(
    jax.jit,
    static_argnames=("select_prim", "window_dimensions", "window_strides", "padding"),
)
def _scatter(
    source: Array,
    operand: Array,
    *,
    select_prim: Any,
    window_dimensions: Sequence[int],
    window_strides: Sequence[int],
    padding: Sequence[tuple[int, int]],
) -> Array:
    """Add the number of each window to the entry that it selects."""
    worst = jnp.asarray(WORST[select_prim], operand.dtype)
    padded = lax.pad(operand, worst, [(low, high, 0) for low, high in padding])
    windows = [
        lax.slice(
            padded, start, _last(start, source.shape, window_strides), window_strides
        )
        for start in np.ndindex(*window_dimensions)
    ]
    place = _selected(windows, select_prim)
    total = _spread(source, place, window_dimensions, window_strides)
    crop = [
        (-low, low + size - covered, 0)
        for (low, _), size, covered in zip(padding, operand.shape, total.shape)
    ]
    return lax.pad(total, jnp.zeros((), total.dtype), crop)


def _last(start: Iterable[int], num: Iterable[int], stride: Iterable[int]) -> list[int]:
    return [a + (n - 1) * s + 1 for a, n, s in zip(start, num, stride)]


def _selected(windows: Sequence[Array], select: Any) -> Array:
    """Which entry each window selects: `windows[i]` holds the `i`-th entry of each.

    One after the other, as XLA does: the first of equal entries stays, and what is
    compared with NaN gives way.
    """
    best = windows[0]
    place = jnp.zeros_like(best, jnp.int8)
    for i, entry in enumerate(windows[1:], 1):
        stays = select.bind(best, entry)
        best = jnp.where(stays, best, entry)
        place = jnp.where(stays, place, jnp.int8(i))
    return place


def _spread(
    source: Array, place: Array, window: Sequence[int], strides: Sequence[int]
) -> Array:
    """The sum of the numbers of the windows, each at its place.

    The result is laid out in blocks as long as the stride. A window reaches over
    several blocks if it is longer than that; then there is a term for each of them, and
    they are added in the order of the windows, as XLA does.
    """
    reach = [-(-w // s) for w, s in zip(window, strides)]
    ones = [1] * len(reach)
    num_blocks = [n + r - 1 for n, r in zip(source.shape, reach)]
    around = [(r - 1, r - 1) for r in reach]
    source, place = jnp.pad(source, around), jnp.pad(place, around, constant_values=-1)
    table = np.arange(math.prod(window), dtype=np.int8).reshape(window)
    beyond = [(0, r * s - w) for r, s, w in zip(reach, strides, window)]
    table = np.pad(table, beyond, constant_values=-2)
    total = jnp.zeros(_paired(num_blocks, strides), source.dtype)
    for block in reversed(list(np.ndindex(*reach))):
        # Blocks that are the `block`-th of their window.
        first = [r - 1 - b for r, b in zip(reach, block)]
        cut = tuple(slice(i, i + n) for i, n in zip(first, num_blocks))
        here, values = (
            a[cut].reshape(_paired(num_blocks, ones)) for a in (place, source)
        )
        places = table[tuple(slice(b * s, b * s + s) for b, s in zip(block, strides))]
        chosen = here == jnp.asarray(places.reshape(_paired(ones, strides)))
        total += jnp.where(chosen, values, 0)
    return total.reshape([n * s for n, s in zip(num_blocks, strides)])


def _paired(first: Iterable[int], second: Iterable[int]) -> list[int]:
    return [size for pair in zip(first, second) for size in pair]
