"""How good is a map, given the region where the evidence must be?"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from skimage.filters import sobel

import jaxplain as jx
from experiments.pictures.explain import Examples
from experiments.pictures.model import score

CURVE_STEPS = 16
CONTROLS = ("Edge strength", "Random order")


class Faithfulness(NamedTuple):
    """Measures that need no region: one number per picture, in units of the score."""

    gap: np.ndarray  # of completeness
    deletion: np.ndarray  # area; lower is better
    insertion: np.ndarray  # area; higher is better


def share_inside(maps: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """Share of the positive attribution that lies in the region, per picture.

    A map without positive attribution gets 0: it points nowhere.
    """
    positive = np.maximum(maps, 0.0)
    inside = np.where(regions, positive, 0.0).sum((1, 2))
    return inside / np.maximum(positive.sum((1, 2)), 1e-12)


def pointing(maps: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """Whether the highest attribution lies in the region: the pointing game.

    Where several pixels share it, as those of a superpixel do, their mean.
    """
    highest = maps == maps.max((1, 2), keepdims=True)
    return (highest & regions).sum((1, 2)) / highest.sum((1, 2))


def faithfulness(baseline: float) -> Any:
    """Measures `(image, params, label, map) -> Faithfulness`, for a batch of them."""
    absent = {"baseline": baseline}
    gap = jx.metrics.completeness_gap(score)
    deletion = jx.metrics.deletion(score, steps=CURVE_STEPS)
    insertion = jx.metrics.insertion(score, steps=CURVE_STEPS)

    def measure(x: Any, params: Any, label: Any, attribution: Any) -> Faithfulness:
        found = (
            of(x, params, label, attribution=attribution, **absent)
            for of in (gap, deletion, insertion)
        )
        difference, removed, inserted = found
        return Faithfulness(difference, removed.area, inserted.area)

    return jax.jit(jax.vmap(measure, in_axes=(0, None, 0, 0)))


def measure_all(
    program: Any, params: Any, chunks: Sequence[Examples], maps: np.ndarray
) -> Faithfulness:
    """`faithfulness` of all pictures, chunk by chunk."""
    parts = np.split(maps, len(chunks))
    found = [
        program(chunk.images, params, chunk.labels, part)
        for chunk, part in zip(chunks, parts, strict=True)
    ]
    return Faithfulness(*(np.concatenate(field) for field in zip(*found, strict=True)))


def controls(images: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Maps that know nothing of the model: what is below them is no explanation."""
    edges = np.stack([sobel(image) for image in images])
    return dict(zip(CONTROLS, (edges, rng.random(images.shape)), strict=True))


def scores(params: Any, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The score of each picture."""
    values = jax.vmap(score, in_axes=(0, None, 0))
    return np.asarray(jax.jit(values)(images, params, jnp.asarray(labels)))
