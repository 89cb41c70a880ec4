"""Messages of this room: what was expected, what came, what to do."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree

from .. import _checks, _tree


def steps(x: PyTree) -> int:
    """The number of steps: the length of the first axis of every leaf."""
    shapes = [leaf.shape for leaf in _tree.leaves(x)]
    lengths = {shape[:1] for shape in shapes}
    if len(lengths) != 1 or () in lengths:
        raise ValueError(
            "`x` must have time on the first axis of every leaf, with the same number "
            f"of steps, but has shapes {shapes}. Pass what does not change over time "
            "as another argument of `f`."
        )
    return lengths.pop()[0]


def one_series(value: Any) -> Array:
    """One floating-point array with time on its first axis."""
    if jax.tree.structure(value) != jax.tree.structure(0):
        raise TypeError(
            f"`x` must be one array, but is {jax.tree.structure(value)}. Take its "
            "arrays one by one, for example with `jax.tree.map`."
        )
    array = _checks.inputs(value)
    steps(array)
    return array


def axes(value: Any, number: int) -> tuple[int | None, ...]:
    """Which of the other arguments have time on their first axis."""
    if value is None:
        return (None,) * number
    fits = isinstance(value, Sequence) and all(
        axis is None or (axis == 0 and not isinstance(axis, bool)) for axis in value
    )
    if not fits or len(value) != number:
        raise ValueError(
            "`in_axes` must hold 0 or None for each argument of `step` after the "
            f"step of the series, of which there are {number}, but is {value!r}. "
            "Write 0 for those with time on their first axis, such as labels."
        )
    return tuple(value)


def over_time(args: Sequence[Any], number: int) -> None:
    """Arguments that change with time have as many steps as the series."""
    for leaf in jax.tree.leaves(args):
        if jnp.shape(leaf)[:1] != (number,):
            raise ValueError(
                f"an argument that `in_axes` maps over time must have {number} "
                f"steps, as the series has, but is {_checks.describe(leaf)}. Write "
                "None for what all steps share."
            )


def carry(value: PyTree) -> PyTree:
    if value is None:
        raise TypeError(
            "`carry` is missing: pass the state before the first step, for example "
            "`carry=jax.numpy.zeros(hidden)`."
        )
    return value


def recurrence(
    step: Callable[..., Any], state: PyTree, row: PyTree, own: Sequence[Any]
) -> None:
    """A step returns another carry like the one it takes, and a scalar."""
    out = jax.eval_shape(step, state, row, own)
    if not isinstance(out, tuple) or len(out) != 2:
        raise ValueError(
            "`step` must return two things, the next carry and a score, as for "
            f"`jax.lax.scan`, but returned {jax.tree.map(_checks.show, out)}."
        )
    after, score = out
    shapes = lambda tree: jax.tree.map(jnp.shape, tree)
    if shapes(after) != shapes(state):
        raise ValueError(
            "`step` must return a carry like the one it takes, "
            f"{jax.tree.map(_checks.show, state)}, but returned "
            f"{jax.tree.map(_checks.show, after)}. Pass `carry` in the shapes that "
            "the cell keeps."
        )
    number = getattr(score, "shape", None) == () and jnp.issubdtype(
        score.dtype, jnp.floating
    )
    if not number:
        raise ValueError(
            "`step` must return a floating-point scalar as the score of a step, but "
            f"returned {jax.tree.map(_checks.show, score)}. Select one output, for "
            "example `logits[label]`."
        )


def present(value: Any, x: Array) -> Array:
    """How much of each entry is there, in a dtype to sum in."""
    mask = jnp.asarray(value)
    if mask.ndim == 0 or mask.shape != x.shape[: mask.ndim]:
        raise ValueError(
            f"`present` must have the shape of the series, {x.shape}, or of its "
            f"leading axes, but has shape {mask.shape}. Pass "
            f"`jax.numpy.ones({x.shape})` for the whole of it."
        )
    return mask.astype(_tree.accumulator(x.dtype))
