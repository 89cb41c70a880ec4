"""A model, seen as a cooperative game between its features."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, PyTree

from . import _checks, _tree
from ._types import REQUIRED, Draw, Labels, Scalar, ScalarFn, Ts, X


def game(
    f: ScalarFn[X, *Ts],
    x: X,
    /,
    *args: *Ts,
    baseline: X | ArrayLike = REQUIRED,
    groups: Labels | None = None,
) -> Callable[[PyTree], Scalar]:
    r"""The value function of a coalition: `f` with absent features at the baseline.

    $$v(m) = f(m \odot x + (1 - m) \odot b)$$

    Pure and differentiable in the mask, so every explainer of this library explains
    `v` too: integrated gradients of a game are the Aumann-Shapley values of its groups.
    `v` of ones is exactly `f(x)`, and `v` of zeros is exactly `f(b)`.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        x: Input, any pytree of floating-point arrays.
        *args: The other arguments of `f`.
        baseline: What an absent feature looks like: any prefix of `x`, such as `0.0`.
        groups: Integer labels from 0 that fit the leading axes of `x`, such as one per
            pixel of an image; an axis of length 1 shares its labels. Features with the
            same label are present or absent together. By default each entry of `x`
            stands alone. A label out of range raises where it is concrete, and makes
            the value NaN where it is traced. Inputs with fewer groups than others can
            share one program: a label that no feature has is a player without effect.

    Returns:
        `v(mask)`, a scalar. The mask holds numbers from 0 (absent) to 1 (present): one
        per group, or without `groups` any prefix of `x` that broadcasts to it.

    Raises:
        ValueError: If `f` does not return a scalar, `x` is empty, or `baseline`,
            `groups` or the mask do not fit `x`.
        TypeError: If `x` holds integers, `groups` does not, or `baseline` is missing.

    Example:
        >>> f = lambda x: x[0] * x[1] + x[2]
        >>> v = game(f, jnp.array([2.0, 3.0, 5.0]), baseline=1.0, groups=[0, 0, 1])
        >>> v(jnp.array([1.0, 0.0])), v(jnp.array([0.0, 1.0]))
        (Array(7., dtype=float32), Array(6., dtype=float32))

    References:
        Shapley (1953), *A Value for n-Person Games*.
        Lundberg and Lee (2017), *A Unified Approach to Interpreting Model Predictions*,
        arXiv:1705.07874, section 2.
    """
    f = _checks.scalar(f)
    x = _checks.inputs(x)
    start = _checks.baseline(baseline, x)
    labels = None if groups is None else _checks.labels(groups, x)

    def v(mask: PyTree) -> Scalar:
        if labels is None:
            present = _checks.mask_like(mask, x)
        else:
            present = _spread(_checks.mask_of_groups(mask, labels), labels, x)
        return f(_tree.lerp(start, x, present), *args)

    return v


def _spread(mask: Array, labels: PyTree, x: PyTree) -> PyTree:
    """A mask over groups, as a mask over the entries of `x`."""

    def present(label: Any, leaf: Array) -> Array:
        m = _tree.pick(mask, label)
        return jnp.broadcast_to(
            m.reshape(*m.shape, *(1,) * (leaf.ndim - m.ndim)), leaf.shape
        )

    return _tree.map_prefix(present, labels, x)


class Players(NamedTuple):
    """A game whose mask is a vector, and the way from a vector back to the answer."""

    value: Callable[[Array], Scalar]
    number: int
    unflatten: Callable[[Array], Any]


def players(
    who: str,
    f: ScalarFn[X, *Ts],
    x: X,
    args: tuple[*Ts],
    baseline: X | ArrayLike,
    groups: Labels | None,
    num_groups: int | None,
) -> Players:
    """The players of a game: the groups, or every entry of `x`."""
    _checks.players(who, groups, num_groups)
    x = _checks.inputs(x)
    labels = None if groups is None else _checks.labels(groups, x)
    v = game(f, x, *args, baseline=baseline, groups=labels)
    wide = _tree.widest(x)
    if labels is not None:
        number = cast(int, num_groups)
        _checks.label_range(labels, number)
        dtype = max((leaf.dtype for leaf in _tree.leaves(x)), key=lambda d: d.itemsize)
        return Players(
            lambda mask: v(mask.astype(wide)),
            number,
            lambda values: values.astype(dtype),
        )
    leaves, treedef = jax.tree.flatten(x)
    bounds = np.cumsum([math.prod(leaf.shape) for leaf in leaves])

    def unflatten(vector: Array) -> X:
        parts = jnp.split(vector, bounds[:-1])
        return treedef.unflatten(
            [p.reshape(leaf.shape) for p, leaf in zip(parts, leaves, strict=True)]
        )

    return Players(
        lambda mask: v(unflatten(mask.astype(wide))),
        int(bounds[-1]),
        lambda values: _tree.cast_like(unflatten(values), x),
    )


def evaluate(
    value: Callable[[Array], Scalar],
    design: Draw,
    num_samples: int,
    chunk_size: int | None,
) -> Array:
    """The values of the first `num_samples` coalitions of a design, float32 or wider.

    Shape `(num_samples,)`: the only thing stored per sample.
    """

    def one(i: Array) -> Array:
        v = value(design(i))
        return v.astype(_tree.accumulator(v.dtype))

    return _tree.map_samples(one, num_samples, chunk_size)
