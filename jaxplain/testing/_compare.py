"""When two explanations are the same, and what to say where they are not."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree


def same(
    promise: str,
    actual: PyTree,
    expected: PyTree,
    *,
    at: Mapping[str, Any],
    tol: float | None = None,
    scale: float = 0.0,
    finite: bool = False,
    hint: str,
) -> None:
    """Equal up to rounding, leaf by leaf, relative to the largest entry or `scale`.

    NaN is NaN and infinity is infinity, unless all must be `finite`: two explanations
    that are spoiled alike agree, but keep no axiom.

    The default tolerance is `eps ** 0.6` of the coarsest dtype: 4e-10 for float64,
    7e-5 for float32. It leaves room for sums of hundreds of terms, and for linear
    systems that multiply their rounding by a hundred.
    """
    got, wanted = jax.tree.structure(actual), jax.tree.structure(expected)
    if got != wanted:
        raise AssertionError(_message(promise, wanted, got, "", at, hint))
    for a, b in zip(jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True):
        if finite and not np.isfinite(np.asarray(a, np.float64)).all():
            shown = "finite numbers", _show(a)
            raise AssertionError(_message(promise, *shown, "", at, hint))
        limit = rounding(a, b) if tol is None else tol
        _same_leaf(promise, a, b, limit, at, scale, hint)


def rounding(*trees: PyTree) -> float:
    """The default tolerance of what was computed in the dtypes of these trees."""
    dtypes = [jnp.result_type(leaf) for leaf in jax.tree.leaves(trees)]
    floating = [d for d in dtypes if jnp.issubdtype(d, jnp.floating)]
    return max((float(jnp.finfo(d).eps) ** 0.6 for d in floating), default=0.0)


def _same_leaf(
    promise: str,
    actual: Any,
    expected: Any,
    tol: float,
    at: Mapping[str, Any],
    scale: float,
    hint: str,
) -> None:
    if jnp.shape(actual) != jnp.shape(expected):
        shapes = f"shape {jnp.shape(expected)}", f"shape {jnp.shape(actual)}"
        raise AssertionError(_message(promise, *shapes, "", at, hint))
    a, b = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    finite = np.isfinite(a) & np.isfinite(b)
    alike = finite | (a == b) | (np.isnan(a) & np.isnan(b))
    off = np.abs(np.where(finite, a - b, 0)).max(initial=0)
    size = max(np.abs(np.where(finite, v, 0)).max(initial=0) for v in (a, b))
    limit = tol * max(size, scale)
    if not alike.all() or off > limit:
        how_far = f"off by {off:.3g}, and at most {limit:.2g} is rounding"
        raise AssertionError(_message(promise, _show(b), _show(a), how_far, at, hint))


def _message(
    promise: str,
    expected: Any,
    got: Any,
    how_far: str,
    at: Mapping[str, Any],
    hint: str,
) -> str:
    lines = [f"{promise}.", f"expected: {expected}", f"     got: {got}"]
    lines += [f"          {how_far}"] if how_far else []
    lines += [f"{name:>8}: {_show(value)}" for name, value in at.items()]
    return "\n".join([*lines, hint])


def _show(value: Any) -> str:
    """A value in a message: short arrays in full, long ones by their ends."""
    leaves, treedef = jax.tree.flatten(value)
    shown = [_show_leaf(leaf) for leaf in leaves]
    return str(treedef.unflatten(shown)) if len(leaves) != 1 else shown[0]


def _show_leaf(leaf: Any) -> str:
    if isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        return f"key {np.asarray(jax.random.key_data(leaf)).tolist()}"
    try:
        array = np.asarray(leaf, np.float64)
    except (TypeError, ValueError):
        return repr(leaf)
    return np.array2string(array, precision=6, threshold=32, edgeitems=3).replace(
        "\n", "\n" + 10 * " "
    )
