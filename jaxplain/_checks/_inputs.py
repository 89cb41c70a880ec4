"""`f`, `x` and `baseline`."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from .. import _modules
from ._show import describe, inside, is_traced, show

F = TypeVar("F", bound=Callable[..., Any])


def scalar(f: F) -> F:
    """`f`, checked to return one floating-point number; a module, made a function."""
    pure = _modules.functional(f)

    @functools.wraps(pure)
    def checked(*args: Any, **kwargs: Any) -> Any:
        out = pure(*args, **kwargs)
        leaves = jax.tree.leaves(out)
        if len(leaves) != 1 or leaves[0] is not out:
            raise ValueError(
                f"`f` must return a scalar, but returned {jax.tree.structure(out)}. "
                "Return one number, for example `lambda x: model(x)[0][label]`."
            )
        if jnp.shape(out) != ():
            raise ValueError(
                f"`f` must return a scalar, but returned shape {jnp.shape(out)}. "
                "Select one output, for example `lambda x: model(x)[label]`."
            )
        if not jnp.issubdtype(jnp.result_type(out), jnp.floating):
            raise ValueError(
                "`f` must return a floating-point scalar, but returned "
                f"{jnp.result_type(out).name}. Return a score, such as a logit, "
                "rather than a class."
            )
        return jnp.asarray(out)

    return checked  # pyright: ignore[reportReturnType]


def inputs(x: PyTree) -> PyTree:
    """`x` as arrays, all of them floating-point and none of them empty."""
    if not jax.tree.leaves(x):
        raise ValueError(
            f"`x` must hold at least one array, but is {x!r}. "
            "Pass the input to explain."
        )

    def check(path: Any, leaf: Any) -> Array:
        where = inside(path)
        try:
            dtype = jnp.result_type(leaf)
        except TypeError:
            raise TypeError(
                f"`x` must hold arrays, but holds {type(leaf).__name__}{where}. "
                "Convert it with `jax.numpy.asarray`, or bind it to `f`."
            ) from None
        if not jnp.issubdtype(dtype, jnp.floating):
            raise TypeError(
                f"`x` must be floating-point, but is {show(leaf)}{where}. Convert "
                "numbers with `.astype(float)`. Tokens have no gradient and nothing "
                "between them and a baseline: explain their embeddings, with "
                '`value, head = jaxplain.cut(f, x, *args, at="embed")` and any '
                "explainer of `head` at `value`."
            )
        if 0 in jnp.shape(leaf):
            raise ValueError(
                f"`x` must not be empty, but is {show(leaf)}{where}. "
                "Pass an input with at least one entry."
            )
        return jnp.asarray(leaf)

    return jax.tree_util.tree_map_with_path(check, x)


def baseline(value: PyTree, x: PyTree) -> PyTree:
    """`value`, broadcast to the leaves of `x` and cast to their dtypes."""
    if value is None:
        raise TypeError(
            "`baseline` is missing: say what an absent feature looks like, "
            "for example `baseline=0.0`."
        )
    mend = "average over a stack of baselines with `jaxplain.expected`."
    return _fill("baseline", value, x, mend)


def spread_of_noise(value: PyTree, x: PyTree) -> PyTree:
    """The standard deviation of noise, broadcast to the leaves of `x`."""
    for leaf in jax.tree.leaves(value):
        if not is_traced(leaf) and np.any(np.less(leaf, 0)):
            raise ValueError(f"`std` must not be negative, but is {leaf!r}.")
    return _fill("std", value, x, "the noise has the units of `x`.")


def _fill(name: str, value: PyTree, x: PyTree, mend: str) -> PyTree:
    """A prefix of `x`, broadcast to its leaves and cast to their dtypes."""

    def fill(path: Any, prefix: Any, subtree: PyTree) -> PyTree:
        def one(below: Any, leaf: Array) -> Array:
            where = inside((*path, *below))
            try:
                out = jnp.broadcast_to(jnp.asarray(prefix), leaf.shape)
            except (ValueError, TypeError):
                raise ValueError(
                    f"`{name}` must broadcast to `x`, which is {show(leaf)}{where}, "
                    f"but is {describe(prefix)}. Pass a number, or an array of the "
                    f"shape of `x`; {mend}"
                ) from None
            if jnp.issubdtype(out.dtype, jnp.complexfloating):
                raise TypeError(f"`{name}` must be real, but is {show(out)}{where}.")
            return out.astype(leaf.dtype)

        return jax.tree_util.tree_map_with_path(one, subtree)

    try:
        return jax.tree_util.tree_map_with_path(fill, value, x)
    except ValueError as error:
        if f"`{name}`" in str(error):
            raise
        raise ValueError(
            f"`{name}` must have the structure of `x`, or of its upper part, but "
            f"`x` is {jax.tree.structure(x)} and `{name}` is "
            f"{jax.tree.structure(value)}. A number, such as `{name}=0.0`, fits any "
            "`x`."
        ) from None


def stack(value: PyTree, x: PyTree) -> int:
    """The common length of the first axes of `baseline`, in `expected`."""
    if value is None:
        baseline(value, None)
    lengths = {jnp.shape(leaf)[:1] for leaf in jax.tree.leaves(value)}
    if len(lengths) != 1 or lengths <= {(), (0,)}:
        shapes = [jnp.shape(leaf) for leaf in jax.tree.leaves(value)]
        raise ValueError(
            "`baseline` must be a stack, with one baseline per entry of the first axis "
            f"of every leaf, but has shapes {shapes}. Stack the baselines with "
            "`jax.numpy.stack`, or leave `expected` out for a single one."
        )
    one = [jnp.shape(a) for a in jax.tree.leaves(value)]
    if one == [jnp.shape(b) for b in jax.tree.leaves(x)]:
        raise ValueError(
            f"`baseline` must be a stack, but has the shapes of `x` itself, {one}. "
            "Stack the baselines along a new first axis with `jax.numpy.stack`, or "
            "write numbers as columns, one per baseline."
        )
    return lengths.pop()[0]
