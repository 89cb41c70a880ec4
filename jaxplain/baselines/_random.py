"""Colours without meaning."""

import jax.random as jr
from jaxtyping import Array, ArrayLike, Float

from .. import _checks, _tree
from .._types import PRNGKey
from . import _valid


def noise(
    key: PRNGKey,
    image: Float[ArrayLike, "*space channels"],
    *,
    low: ArrayLike,
    high: ArrayLike,
) -> Float[Array, "*space channels"]:
    """Independent uniform noise of the shape of the image.

    One draw is one arbitrary picture, so average over several: with `jax.vmap` over
    keys it is a stack of baselines for `jaxplain.expected`.

    Args:
        key: Random key.
        image: One array, channels last.
        low: Least value, in the units of the image: a number, or one per channel.
        high: Greatest value.

    Returns:
        The noise, in the shape and dtype of `image`.

    Raises:
        ValueError: If the image is empty or has no axis beside its channels, or a bound
            does not broadcast to it.
        TypeError: If the image holds integers, or `key` is no key.

    Example:
        >>> image = jnp.zeros((4, 4, 3))
        >>> found = noise(jax.random.key(0), image, low=-1.0, high=1.0)
        >>> found.shape, bool((abs(found) <= 1).all())
        ((4, 4, 3), True)
    """
    _checks.key(key, "noise")
    pixels = _valid.image(image)
    low, high = _valid.bound("low", low, pixels), _valid.bound("high", high, pixels)
    wide = _tree.accumulator(pixels.dtype)
    low, high = low.astype(wide), high.astype(wide)
    uniform = jr.uniform(key, pixels.shape, wide)
    return (low + (high - low) * uniform).astype(pixels.dtype)


def shuffled(
    key: PRNGKey, image: Float[ArrayLike, "*space channels"]
) -> Float[Array, "*space channels"]:
    """The pixels of the image in a random order: its colours, and none of its shapes.

    Whole pixels move, or whole steps of a series, so that each keeps its channels.

    Args:
        key: Random key.
        image: One array, channels last.

    Returns:
        The shuffled image, in the shape and dtype of `image`.

    Raises:
        ValueError: If the image is empty or has no axis beside its channels.
        TypeError: If the image holds integers, or `key` is no key.

    Example:
        >>> series = jnp.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])
        >>> found = shuffled(jax.random.key(0), series)
        >>> bool((found[:, 1] == 10 * found[:, 0]).all()), found.sum()
        (True, Array(66., dtype=float32))
    """
    _checks.key(key, "shuffled")
    pixels = _valid.image(image)
    rows = pixels.reshape(-1, pixels.shape[-1])
    return jr.permutation(key, rows).reshape(pixels.shape)
