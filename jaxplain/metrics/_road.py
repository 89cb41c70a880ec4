"""`f` as pixels are removed without a trace."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, PyTree

from .. import _checks, _tree
from .._types import REQUIRED, PRNGKey, ScalarFn, Ts, X
from ..baselines import noisy_linear
from ..baselines._valid import image
from . import _valid
from ._curves import Curve
from ._ranks import Order, known_order, ranks
from ._types import Imputing


def road(
    f: ScalarFn[X, *Ts],
    *,
    fractions: Sequence[float] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
    order: Order = "highest",
    std: float = 0.01,
    chunk_size: int | None = None,
) -> Imputing[X, *Ts, Curve]:
    """How `f` falls as the pixels with the highest attribution go without a trace.

    Removed pixels become noisy means of their neighbours, by `baselines.noisy_linear`,
    rather than a colour: the outline of a hole of one colour can tell `f` the class as
    well as the pixels did. The lower the area, the better the ranking; with the lowest
    first, the higher. The difference of the two is free of what `f` loses by the
    imputation as such. Scattered pixels can be guessed from their neighbours, so a
    speckled map removes less than a compact one. Only the order counts.

    Args:
        f: Function that was explained, of one image or series, channels last.
        fractions: Shares of the pixels to remove, in rising order. Their numbers are
            rounded, but not to 0.
        order: Which pixels go first.
        std: Standard deviation of the noise, in the units of the image.
        chunk_size: Number of images filled and evaluated at once; all of them by
            default. Peak memory follows it.

    Returns:
        `measure(x, *args, attribution, key)`, a `Curve` with one point per fraction.
        The attribution has the shape of the image, and is summed over its channels, or
        is a map of its pixels. Equal attributions keep the order of the pixels; NaN
        goes last. Costs one evaluation of `f` and one imputation per fraction.

    Raises:
        ValueError: If the fractions do not rise, are not in (0, 1], `order` is unknown,
            `std` is negative, `f` does not return a scalar, `x` is no image, or
            `attribution` does not fit it.
        TypeError: If `x` holds integers, or `key` is missing.

    Example:
        >>> image = jnp.ones((4, 4, 1)).at[1, 2].set(5.0)
        >>> measure = road(jnp.max, fractions=(0.1, 0.5), std=0.0)
        >>> measure(image, attribution=image, key=jax.random.key(0)).value
        Array([1., 1.], dtype=float32)

    References:
        Rong, Leemann, Borisov, Kasneci and Kasneci (2022), *A Consistent and Efficient
        Evaluation Strategy for Attribution Methods*, arXiv:2202.00449.
    """
    shares = _valid.fractions(fractions)
    if np.any(np.diff(shares) <= 0):
        raise ValueError(
            f"`fractions` must rise, but is {fractions!r}. Sort them, so that there is "
            "a curve."
        )
    known_order(order)
    _checks.positive("std", std, zero=True)
    _checks.chunk_size(chunk_size)

    def measure(
        x: X,
        /,
        *args: *Ts,
        attribution: PyTree = REQUIRED,
        key: PRNGKey = REQUIRED,
    ) -> Curve:
        _checks.key(key, "road")
        pixels = image(x)
        value = _checks.scalar(f)
        scores = _valid.of_pixels(_checks.given(attribution), pixels)
        rank = ranks(scores.ravel(), order).reshape(scores.shape)
        counts = jnp.asarray(_valid.counts(shares, rank.size))

        def removed(i: Array) -> Array:
            left = rank >= counts[i]
            filled: Any = noisy_linear(jr.fold_in(key, i), pixels, left, std=std)
            out = value(filled, *args)
            return out.astype(_tree.accumulator(out.dtype))

        values = _tree.map_samples(removed, shares.size, chunk_size)
        widths = jnp.asarray(np.diff(shares), values.dtype)
        sides = (values[:-1] + values[1:]) / 2
        area = (
            (widths * sides).sum() / widths.sum() if shares.size > 1 else values.mean()
        )
        return Curve(jnp.asarray(shares, values.dtype), values, area)

    return measure
