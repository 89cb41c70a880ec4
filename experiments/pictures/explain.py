"""Eight explainers of the same score, each as one map of evidence per pixel."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

import jaxplain as jx
from experiments.pictures.data import CONTRAST, GREY
from experiments.pictures.model import score
from jaxplain import rules

Method = Callable[..., jax.Array]

IG = "Integrated gradients"
SMOOTH_IG = "Smoothed IG"
DEEP_LIFT = "DeepLIFT"
LRP = "LRP"
GRAD_CAM = "Grad-CAM"
GUIDED = "Guided Grad-CAM"
LIME = "LIME"
KERNEL_SHAP = "Kernel SHAP"
COMPLETE = (
    IG,
    SMOOTH_IG,
    DEEP_LIFT,
    KERNEL_SHAP,
)  # they claim to add up to f(x) - f(baseline)

STEPS = 32  # of integrated gradients
NOISE, NUM_NOISY, NOISY_STEPS = 0.05, 8, 8
NUM_SUPERPIXELS, NUM_COALITIONS = 36, 320

# The lowest layer sees grey levels in units of contrast; the top one holds the prior.
BLACK, WHITE = -GREY / CONTRAST, (1 - GREY) / CONTRAST
COMPOSITE = {
    "edges": rules.zbox(BLACK, WHITE),
    "parts": rules.gamma(0.25),
    "features": rules.gamma(0.25),
    "evidence": rules.epsilon(),
}


class Examples(NamedTuple):
    """What is explained: one row per picture."""

    images: np.ndarray  # (n, height, width)
    labels: np.ndarray  # (n,)
    superpixels: np.ndarray  # (n, height, width), labels
    keys: jax.Array  # (n,)


def examples(images: np.ndarray, labels: np.ndarray, key: jax.Array) -> Examples:
    """Pictures with their superpixels, which are found on the host."""
    found = [
        jx.groups.superpixels(image, num_groups=NUM_SUPERPIXELS) for image in images
    ]
    superpixels = np.stack([labels for labels, _ in found])
    return Examples(images, labels, superpixels, jr.split(key, len(images)))


def methods(baseline: float, num_groups: int) -> dict[str, Method]:
    """Explainers `(image, params, label, groups, key) -> map`, by name.

    Each map adds up to what its explainer attributes: a superpixel's value is shared
    equally by its pixels. `num_groups` is common to all pictures, so labels that a
    picture does not use are players that change nothing: what sampling gives them, zero
    but for noise, has no pixel to be drawn on.
    """
    ig = jx.integrated_gradients(score, steps=STEPS)
    smooth_ig = jx.smooth(
        jx.integrated_gradients(score, steps=NOISY_STEPS),
        std=NOISE,
        num_samples=NUM_NOISY,
    )
    deep_lift = rules.deep_lift(score)
    lrp = rules.lrp(score, COMPOSITE)
    grad_cam = jx.grad_cam(score, at="features")
    guided_grad_cam = jx.cam.guided_grad_cam(score, at="features")
    budget = {"num_samples": NUM_COALITIONS, "num_groups": num_groups}
    lime = jx.lime(score, **budget)
    kernel_shap = jx.kernel_shap(score, **budget)

    def against(explain: Method, x: Any, params: Any, label: Any, *_: Any) -> Any:
        return explain(x, params, label, baseline=baseline)

    def noisy(x: Any, params: Any, label: Any, groups: Any, key: Any) -> Any:
        return smooth_ig(x, params, label, baseline=baseline, key=key)

    def plain(explain: Method, x: Any, params: Any, label: Any, *_: Any) -> Any:
        return explain(x, params, label)

    def cam(x: Any, params: Any, label: Any, groups: Any, key: Any) -> Any:
        return jx.cam.upsample(grad_cam(x, params, label), x.shape)

    def grouped(
        explain: Method, x: Any, params: Any, label: Any, groups: Any, key: Any
    ) -> Any:
        phi = explain(x, params, label, baseline=baseline, groups=groups, key=key)
        pixels = jnp.zeros_like(phi).at[groups].add(1.0)
        return jx.groups.spread(phi / jnp.maximum(pixels, 1.0), groups)

    return {
        IG: partial(against, ig),
        SMOOTH_IG: noisy,
        DEEP_LIFT: partial(against, deep_lift),
        LRP: partial(plain, lrp),
        GRAD_CAM: cam,
        GUIDED: partial(plain, guided_grad_cam),
        LIME: partial(grouped, lime),
        KERNEL_SHAP: partial(grouped, kernel_shap),
    }


def compile_method(method: Method, params: Any, sample: Examples) -> Method:
    """One program for a whole chunk of pictures; the parameters stay an argument."""
    batched = jax.jit(jax.vmap(method, in_axes=(0, None, 0, 0, 0)))
    return batched.lower(*arguments(params, sample)).compile()


def explain_all(program: Method, params: Any, chunks: Sequence[Examples]) -> np.ndarray:
    """Maps of all pictures, chunk by chunk, so that memory does not grow with them."""
    maps = [np.asarray(program(*arguments(params, chunk))) for chunk in chunks]
    return np.concatenate(maps)


def arguments(params: Any, chunk: Examples) -> tuple[Any, ...]:
    """The arguments of a method, in its order."""
    return chunk.images, params, chunk.labels, chunk.superpixels, chunk.keys


def split(rows: Examples, size: int) -> list[Examples]:
    """Equal chunks, so that one compiled program serves them all."""
    if len(rows.images) % size:
        raise ValueError(
            f"Expected a multiple of {size} pictures, got {len(rows.images)}. Choose "
            "another size of the chunks."
        )
    starts = range(0, len(rows.images), size)
    return [Examples(*(field[i : i + size] for field in rows)) for i in starts]
