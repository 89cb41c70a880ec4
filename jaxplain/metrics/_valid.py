"""Messages of this room: what was expected, what came, what to do."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from .. import _checks, _tree


def fractions(values: Sequence[float]) -> np.ndarray:
    """Shares of the features, in float64."""
    shares = np.asarray(values)
    numbers = shares.ndim == 1 and np.issubdtype(shares.dtype, np.number)
    if not numbers or not shares.size or not np.all((shares > 0) & (shares <= 1)):
        raise ValueError(
            "`fractions` must be several numbers above 0 and at most 1, but is "
            f"{values!r}. Pass shares of the features, for example `(0.1, 0.5)`."
        )
    return shares.astype(np.float64)


def counts(shares: np.ndarray, number: int) -> np.ndarray:
    """How many features each share is: rounded, but not to none."""
    return np.maximum(np.rint(shares * number), 1).astype(np.int32)


def like_input(attribution: PyTree, x: PyTree) -> PyTree:
    """An attribution with an entry for every one of `x`."""
    shapes = lambda tree: [jnp.shape(leaf) for leaf in jax.tree.leaves(tree)]
    same = jax.tree.structure(attribution) == jax.tree.structure(x)
    if not same or shapes(attribution) != shapes(x):
        raise ValueError(
            f"`attribution` must have the shape of `x`, {jax.tree.map(_checks.show, x)}"
            f", but is {jax.tree.map(_checks.describe, attribution)}. Stretch the map "
            "of a layer with `jaxplain.cam.upsample`, and divide the value of a pixel "
            "among its channels."
        )
    return jax.tree.map(jnp.asarray, attribution)


def of_pixels(attribution: Any, pixels: Array) -> Array:
    """The attribution of each pixel: a map, or one that is summed over channels."""
    alone = jax.tree.structure(attribution) == jax.tree.structure(0)
    if not alone or jnp.shape(attribution) not in (pixels.shape[:-1], pixels.shape):
        raise ValueError(
            "`attribution` must have one entry per pixel, shape "
            f"{pixels.shape[:-1]}, or per channel of it, {pixels.shape}, but is "
            f"{jax.tree.map(_checks.describe, attribution)}. Stretch the map of a "
            "layer with `jaxplain.cam.upsample`."
        )
    scores = jnp.asarray(attribution)
    # Neither a mask nor unsigned numbers have a negative to rank by.
    scores = scores.astype(_tree.widest([scores]))
    return scores if scores.ndim < pixels.ndim else scores.sum(-1)
