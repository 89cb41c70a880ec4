"""Explainers, each compiled once, and maps that know nothing of the network."""

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jaxplain as jx
from experiments.evidence.shortcut.model import score

STEPS, NUM_SAMPLES, NUM_MASKS, CELL = 16, 16, 300, 2


def methods(side: int) -> Mapping[str, Callable[..., Any]]:
    """`explain(image, params, label, reference, key)`: a map of the picture each."""
    labels, groups = jx.groups.patches((side, side), size=CELL)
    saliency, ig = jx.saliency(score), jx.integrated_gradients(score, steps=STEPS)
    smooth = jx.smooth(saliency, std=0.3, num_samples=NUM_SAMPLES)
    eg = jx.paths.expected_gradients(score, num_samples=NUM_SAMPLES)
    deep, lrp = jx.rules.deep_lift(score), jx.rules.lrp(score)
    guided = jx.saliency(jx.rules.guided(score))
    window = jx.occlusion(score, window=CELL + 1, stride=1)
    shap = jx.gp_shap(score, num_samples=4 * groups, num_groups=groups)
    rise = jx.perturbations.rise(score, num_samples=NUM_MASKS, grid=(side // 2,) * 2)
    cam = jx.grad_cam(score, at="features")
    mask = jx.perturbations.learned_mask(score, grid=(side // CELL,) * 2, steps=60)
    empty = 0.0  # the mean of the noise

    def spread_shap(x: Any, p: Any, y: Any, b: Any, k: Any) -> Any:
        phi = shap(x, p, y, baseline=empty, key=k, groups=labels)
        return jx.groups.spread(phi, labels)

    def above_least(explain: Callable[..., Any]) -> Callable[..., Any]:
        """Every value of RISE holds the mean of `f`, which is no evidence."""

        def shifted(x: Any, p: Any, y: Any, b: Any, k: Any) -> Any:
            phi = explain(x, p, y, baseline=empty, key=k)
            return phi - phi.min()

        return shifted

    return {
        "saliency": lambda x, p, y, b, k: jnp.abs(saliency(x, p, y)),
        "SmoothGrad": lambda x, p, y, b, k: jnp.abs(smooth(x, p, y, key=k)),
        "input x gradient": lambda x, p, y, b, k: jx.input_x_gradient(score)(x, p, y),
        "integrated gradients": lambda x, p, y, b, k: ig(x, p, y, baseline=empty),
        "expected gradients": lambda x, p, y, b, k: eg(x, p, y, baseline=b, key=k),
        "DeepLIFT": lambda x, p, y, b, k: deep(x, p, y, baseline=empty),
        "LRP": lambda x, p, y, b, k: lrp(x, p, y),
        "guided backprop": lambda x, p, y, b, k: guided(x, p, y),
        "Grad-CAM": lambda x, p, y, b, k: cam(x, p, y),
        "occlusion": lambda x, p, y, b, k: window(x, p, y, baseline=empty),
        "SHAP, squares": spread_shap,
        "RISE": above_least(rise),
        "learned mask": lambda x, p, y, b, k: mask(x, p, y, baseline=empty).mask,
    }


CONTROLS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "the picture itself": np.abs,
    "its edges": lambda images: np.hypot(*np.gradient(images, axis=(1, 2))),
}


@cache
def program(name: str, side: int) -> Callable[..., Any]:
    return jax.jit(jax.vmap(methods(side)[name], (0, None, 0, None, 0)))


def maps(
    name: str, params: Any, images: np.ndarray, labels: np.ndarray, reference: Any
) -> np.ndarray:
    """One map per picture, with a key for each."""
    keys = jax.random.split(jax.random.key(0), len(images))
    explain = program(name, images.shape[1])
    return np.asarray(explain(images, params, labels, reference, keys))


def shares(maps: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The share of the positive attribution in the strip, per picture; 0 of nothing."""
    found = jax.vmap(partial(jx.metrics.relevance_mass, mask=mask > 0))(maps)
    return np.nan_to_num(np.asarray(found))


def told_apart(shortcut: np.ndarray, clean: np.ndarray) -> float:
    """The chance that the share is larger for the network with the shortcut."""
    larger = shortcut[:, None] > clean
    equal = shortcut[:, None] == clean
    return float((larger + 0.5 * equal).mean())
