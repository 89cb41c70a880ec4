"""Every group in its mean colour."""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .. import _checks, _tree
from . import _valid


def segment_mean(
    image: Float[ArrayLike, "*space channels"], groups: ArrayLike, num_groups: int
) -> Float[Array, "*space channels"]:
    r"""The image with every group in its mean colour.

    $$b_p = \frac{1}{|G|} \sum_{q \in G} x_q, \quad G \text{ the group of } p$$

    What is left is what the groups do not show of the image: a group that is flat
    already cannot be taken away, whatever it means. The baseline of the reference
    implementation of LIME for images. Its own fixed point, and a group of one colour
    keeps it exactly.

    Args:
        image: One array, channels last.
        groups: Integer labels from 0 that fit the leading axes of the image, as for
            `game`: one per pixel, or one per cell of a series. Axes that have no labels
            keep a mean each.
        num_groups: Number of groups.

    Returns:
        The means, in the shape and dtype of `image`; NaN where a traced label is out of
        range.

    Raises:
        ValueError: If the image is empty or has no axis beside its channels, the labels
            do not fit it, or a concrete one is out of range.
        TypeError: If the image holds integers, or `groups` does not.

    Example:
        >>> image = jnp.array([[[1.0], [3.0], [5.0]]])
        >>> segment_mean(image, np.array([[0, 0, 1]]), 2).ravel()
        Array([2., 2., 5.], dtype=float32)

    References:
        Ribeiro, Singh and Guestrin (2016), *"Why Should I Trust You?"*,
        arXiv:1602.04938; `lime.lime_image`.
    """
    pixels = _valid.image(image)
    number = _checks.count("num_groups", num_groups)
    labels = _checks.labels(groups, pixels)
    _checks.label_range(labels, number)
    shape = pixels.shape[: jnp.ndim(labels)]
    labels = jnp.broadcast_to(jnp.asarray(labels, jnp.int32), shape).ravel()
    rows = pixels.reshape(math.prod(shape), -1)
    rows = rows.astype(_tree.accumulator(pixels.dtype))
    # Means of differences from the least value: exact for a group of one colour.
    least = jax.ops.segment_min(rows, labels, number)
    above = jax.ops.segment_sum(rows - least[labels], labels, number)
    sizes = jax.ops.segment_sum(jnp.ones_like(rows[:, :1]), labels, number)
    means = least + above / jnp.maximum(sizes, 1)
    return _tree.pick(means, labels).reshape(pixels.shape).astype(pixels.dtype)
