"""Messages of this room: what was expected, what came, what to do."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array

from .. import _checks


def image(value: Any) -> Array:
    """One floating-point array, channels last behind at least one other axis."""
    if jax.tree.structure(value) != jax.tree.structure(0):
        raise TypeError(
            f"`image` must be one array, but is {jax.tree.structure(value)}. Fill the "
            "arrays one by one."
        )
    pixels = jnp.asarray(value)
    if not jnp.issubdtype(pixels.dtype, jnp.floating):
        raise TypeError(
            f"`image` must be floating-point, but is {_checks.show(pixels)}. Scale it "
            "as the model does, for example `image.astype(jax.numpy.float32) / 255`."
        )
    if pixels.ndim < 2 or 0 in pixels.shape:
        raise ValueError(
            "`image` must have channels last, behind at least one other axis, and at "
            f"least one pixel, but has shape {pixels.shape}. Give a grey image "
            "an axis of one channel: `image[..., None]`."
        )
    return pixels


def present(value: Any, pixels: Array) -> Array:
    """How much of each pixel is there."""
    shape = pixels.shape[:-1]
    mask = jnp.asarray(value)
    if mask.shape != shape:
        raise ValueError(
            "`present` must have one entry per pixel, which is the shape of the image "
            f"without its channels, {shape}, but has shape {mask.shape}. Pass "
            f"`jax.numpy.ones({shape})` for the whole image."
        )
    if not jnp.issubdtype(mask.dtype, jnp.floating):
        return mask.astype(jnp.float32)
    return mask


def bound(name: str, value: Any, pixels: Array) -> Array:
    """A bound of the noise: a number, or one per channel."""
    try:
        return jnp.broadcast_to(jnp.asarray(value), pixels.shape).astype(pixels.dtype)
    except (ValueError, TypeError):
        raise ValueError(
            f"`{name}` must broadcast to the image, which is {_checks.show(pixels)}, "
            f"but has shape {jnp.shape(value)}. Pass a number, or one per channel."
        ) from None
