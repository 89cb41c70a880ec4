"""One compiled program over batches of examples."""

import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from .. import _checks


def length(stacks: dict[str, PyTree]) -> int:
    """How many examples there are."""
    lengths: dict[str, int] = {}
    for name, stack in stacks.items():
        for leaf in jax.tree.leaves(stack):
            if not np.ndim(leaf):
                raise ValueError(
                    f"`{name}` must hold one entry per example, but is "
                    f"{_checks.describe(leaf)}. Bind what all examples share, for "
                    "example `lambda x: f(x, params)`."
                )
            lengths.setdefault(name, np.shape(leaf)[0])
            if np.shape(leaf)[0] != lengths[name]:
                lengths[f"a leaf of {name}"] = np.shape(leaf)[0]
    if len(set(lengths.values())) != 1 or 0 in lengths.values():
        found = ", ".join(f"{number} in `{name}`" for name, number in lengths.items())
        raise ValueError(
            f"All stacks must hold the same number of examples, one at least, but "
            f"there are {found or 'none'}. Bind what all examples share, for example "
            "`lambda x: f(x, params)`."
        )
    return next(iter(lengths.values()))


def over(
    number: int, size: int, program: Callable[..., PyTree], *stacks: PyTree
) -> PyTree:
    """`program(rows, *stacks)` of every batch of a size, stacked in NumPy.

    The last batch repeats the last example, so that one program is compiled.
    """
    parts = []
    for start in range(0, number, size):
        rows = np.minimum(np.arange(start, start + size), number - 1)
        take = lambda leaf, rows=rows: jnp.asarray(leaf[rows])
        keep = lambda leaf, valid=number - start: np.asarray(leaf)[:valid]
        batch = jax.tree.map(take, stacks)
        out = program(jnp.asarray(rows, jnp.int32), *batch)
        parts.append(jax.tree.map(keep, out))
    return jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)


def needs_key(explain: Callable[..., Any]) -> bool:
    """Whether a call must pass `key`: it is a parameter, and has no value.

    What wraps a function may add a key or pass one on, so its own parameters count
    first, and those of the function inside only if it takes any keyword.
    """
    inside = getattr(explain, "__wrapped__", None)
    if inside is not None and isinstance(explain, jax.stages.Wrapped):
        return needs_key(inside)  # `jax.jit` shows the parameters of what is within
    try:
        own = inspect.signature(explain, follow_wrapped=False).parameters
    except (TypeError, ValueError):  # built in: nothing can be known
        return False
    if (found := own.get("key")) is not None:
        named = found.kind in (found.KEYWORD_ONLY, found.POSITIONAL_OR_KEYWORD)
        return named and (found.default is found.empty or found.default is None)
    passes = any(p.kind == p.VAR_KEYWORD for p in own.values())
    return inside is not None and passes and needs_key(inside)
