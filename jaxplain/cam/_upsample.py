"""From the size of a layer to that of the input."""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias, get_args

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .. import _checks

Method: TypeAlias = Literal["linear", "nearest"]


def upsample(
    heatmap: ArrayLike, shape: Sequence[int], *, method: Method = "linear"
) -> Float[Array, "..."]:
    """Stretch a map to the size of the input, linearly between pixel centres.

    Pixels are areas with values at their half-integer centres, as in PyTorch's
    `align_corners=False` and in OpenCV; the border is constant beyond the last centre.

    Args:
        heatmap: Map of any rank, such as `(7, 7)`.
        shape: Target shape, of the same rank, such as `image.shape[:2]`.
        method: `"linear"`, or `"nearest"` to repeat the value of the nearest centre.

    Returns:
        Array of shape `shape`, in the dtype of `heatmap`.

    Raises:
        ValueError: If the ranks differ, `heatmap` is empty, or `method` is neither of
            the two.
        TypeError: If `heatmap` holds integers.

    Example:
        >>> upsample(jnp.array([[0.0, 1.0], [2.0, 5.0]]), (4, 4))[0]
        Array([0.  , 0.25, 0.75, 1.  ], dtype=float32)
    """
    _checks.choice("method", method, get_args(Method))
    values = jnp.asarray(heatmap)
    if not jnp.issubdtype(values.dtype, jnp.floating):
        raise TypeError(
            f"`heatmap` must be floating-point, but is {_checks.show(values)}."
        )
    if len(shape) != values.ndim:
        raise ValueError(
            f"`shape` must have one length per axis of `heatmap`, which has shape "
            f"{values.shape}, but is {tuple(shape)}. Leave the channels out, for "
            "example `image.shape[:2]`."
        )
    if values.size == 0 and 0 not in shape:
        raise ValueError(
            f"`heatmap` must not be empty, but has shape {values.shape}. Pass the map "
            "of a layer that has at least one entry along every axis."
        )
    # Without antialiasing, which would blur where the target is the smaller one.
    return jax.image.resize(values, tuple(shape), method, antialias=False)


def over(leaf: Any, heatmap: Array, at: str, method: Method = "linear") -> Array:
    """A map, stretched over the leading axes of an array, with 1 for its others."""
    rank = heatmap.ndim
    # What may be a batch of one must not be taken for the first axis of an image.
    batch = leaf.ndim == rank and heatmap.shape[0] == 1 != leaf.shape[0]
    if leaf.ndim < rank or batch:
        raise ValueError(
            f"`x` must begin with the axes of space of layer {at!r}, which are "
            f"{heatmap.shape}, at another resolution, but is {_checks.show(leaf)}. If "
            "the first of them is a batch of one that `f` adds, add it to `x` instead: "
            "pass `x[None]`. If `x` has no channels, give it a last axis of length 1."
        )
    shape = leaf.shape[:rank]
    others = (1,) * (leaf.ndim - rank)
    return upsample(heatmap, shape, method=method).reshape(*shape, *others)
