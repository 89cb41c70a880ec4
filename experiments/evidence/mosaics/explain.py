"""The explainers of the pictures, and as many more."""

from functools import partial
from typing import Any

import jax.numpy as jnp

import jaxplain as jx
from experiments.pictures import explain as pictures
from experiments.pictures.explain import Method
from experiments.pictures.model import score
from jaxplain import cam, perturbations, rules

WINDOW, STRIDE = 8, 4  # pixels
GRID, NUM_MASKS = 8, 400
# Those that take several hundred evaluations of each picture.
SAMPLED = (pictures.SMOOTH_IG, pictures.LIME, pictures.KERNEL_SHAP, "RISE", "GP SHAP")


def methods(baseline: float, num_groups: int) -> dict[str, Method]:
    """Explainers `(image, params, label, groups, key) -> map`, by name.

    Of gradients, the magnitudes: their sign says what brightening a pixel does, not
    whether it is evidence.
    """
    rise = perturbations.rise(score, num_samples=NUM_MASKS, grid=(GRID, GRID))
    occlusion = jx.occlusion(score, window=(WINDOW, WINDOW), stride=(STRIDE, STRIDE))
    layer_cam = cam.layer_cam(score, at="features")
    gp_shap = jx.gp_shap(
        score, num_samples=pictures.NUM_COALITIONS, num_groups=num_groups
    )

    def magnitude(f: Any, x: Any, params: Any, label: Any, *_: Any) -> Any:
        return jnp.abs(jx.saliency(f)(x, params, label))

    def product(x: Any, params: Any, label: Any, *_: Any) -> Any:
        return jx.input_x_gradient(score)(x, params, label)

    def windows(x: Any, params: Any, label: Any, *_: Any) -> Any:
        return occlusion(x, params, label, baseline=baseline)

    def masks(x: Any, params: Any, label: Any, groups: Any, key: Any) -> Any:
        values = rise(x, params, label, baseline=baseline, key=key)
        return values - values.mean()  # all of them hold the mean of the score

    def layer(x: Any, params: Any, label: Any, *_: Any) -> Any:
        return cam.upsample(layer_cam(x, params, label), x.shape)

    def players(x: Any, params: Any, label: Any, groups: Any, key: Any) -> Any:
        refs = {"baseline": baseline, "groups": groups, "key": key}
        phi = gp_shap(x, params, label, **refs)
        pixels = jnp.zeros_like(phi).at[groups].add(1.0)
        return jx.groups.spread(phi / jnp.maximum(pixels, 1.0), groups)

    return {
        "Gradient": partial(magnitude, score),
        "Guided backprop": partial(magnitude, rules.guided(score)),
        "Gradient x input": product,
        **pictures.methods(baseline, num_groups),
        "LayerCAM": layer,
        "Occlusion": windows,
        "RISE": masks,
        "GP SHAP": players,
    }
