"""Every explainer of the study, as a map of the picture's own size."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np
from scipy.ndimage import laplace, sobel

import jaxplain as jx
from experiments.evidence.tris.data import SIZE
from experiments.evidence.tris.model import Recipe, score
from jaxplain import cam, paths, perturbations, rules

Method = Callable[..., jax.Array]

STEPS = 16  # of integrated gradients
NOISE, NUM_NOISY = 0.1, 32  # half of the standard deviation of the pictures
NUM_REFERENCES = 64
NUM_COALITIONS, NUM_MASKS = 256, 512
CHUNK = 64  # coalitions at once
PATTERN = "Covariance x gradient"
SAMPLED = ("RISE", "LIME", "Kernel SHAP", "GP SHAP")  # slow to compile
CAMS = ("Grad-CAM", "LayerCAM", "Guided Grad-CAM")
CONTROLS = ("Laplace", "Sobel", "|x|", "Random")


class Known(NamedTuple):
    """What an explainer may know of the training set."""

    references: np.ndarray  # (NUM_REFERENCES, SIZE, SIZE)
    covariance: np.ndarray  # (SIZE * SIZE, SIZE * SIZE)


def known(images: np.ndarray) -> Known:
    """Some training pictures, and the covariance of all of them."""
    covariance = np.cov(images.reshape(len(images), -1), rowvar=False)
    return Known(images[:NUM_REFERENCES], covariance.astype(np.float32))


def methods(recipe: Recipe) -> dict[str, Method]:
    """Explainers `(image, params, label, known, key) -> map`, by name.

    Where something has to be absent it is zero, the mean of the noise.
    """
    f = score(recipe.network)
    gradient = jx.saliency(f)
    shares = dict.fromkeys(recipe.hidden, rules.gamma(0.25))
    budget = {"num_samples": NUM_COALITIONS, "chunk_size": CHUNK}

    def plain(explain: Method) -> Method:
        return lambda x, params, label, known, key: explain(x, params, label)

    def against(explain: Method) -> Method:
        return lambda x, params, label, known, key: explain(
            x, params, label, baseline=0.0
        )

    def sampled(explain: Method) -> Method:
        return lambda x, params, label, known, key: explain(
            x, params, label, baseline=0.0, key=key
        )

    def smooth(x: Any, params: Any, label: Any, known: Known, key: Any) -> Any:
        explain = jx.smooth(gradient, std=NOISE, num_samples=NUM_NOISY)
        return explain(x, params, label, key=key)

    def expected(x: Any, params: Any, label: Any, known: Known, key: Any) -> Any:
        explain = paths.expected_gradients(f, num_samples=NUM_REFERENCES)
        return explain(x, params, label, baseline=known.references, key=key)

    def pattern(x: Any, params: Any, label: Any, known: Known, key: Any) -> Any:
        slope = gradient(x, params, label)
        return (known.covariance @ slope.ravel()).reshape(slope.shape)

    found = {
        "Gradient": plain(gradient),
        "SmoothGrad": smooth,
        "Guided backprop": plain(jx.saliency(rules.guided(f))),
        "Deconvolution": plain(jx.saliency(rules.deconvolution(f))),
        "Gradient x input": plain(jx.input_x_gradient(f)),
        "Integrated gradients": against(jx.integrated_gradients(f, steps=STEPS)),
        "Expected gradients": expected,
        "DeepLIFT": against(rules.deep_lift(f)),
        "LRP": plain(rules.lrp(f, shares) if shares else rules.lrp(f)),
        "Occlusion": against(jx.occlusion(f)),
        "RISE": sampled(
            perturbations.rise(
                f, num_samples=NUM_MASKS, grid=(SIZE, SIZE), chunk_size=CHUNK
            )
        ),
        "LIME": sampled(jx.lime(f, **budget)),
        "Kernel SHAP": sampled(jx.kernel_shap(f, **budget)),
        "GP SHAP": sampled(jx.gp_shap(f, **budget)),
        PATTERN: pattern,
    }
    return found | (maps_of_a_layer(f, plain) if "conv_0" in recipe.hidden else {})


def maps_of_a_layer(f: Any, plain: Callable[[Method], Method]) -> dict[str, Method]:
    """The CAM family, which needs a layer that knows places."""

    def upsampled(explain: Method) -> Method:
        return lambda *args: cam.upsample(explain(*args), (SIZE, SIZE))

    found = (
        upsampled(jx.grad_cam(f, at="conv_2")),
        upsampled(cam.layer_cam(f, at="conv_0")),
        cam.guided_grad_cam(f, at="conv_2"),
    )
    return {name: plain(explain) for name, explain in zip(CAMS, found, strict=True)}


def program(explainers: Mapping[str, Method]) -> Any:
    """All maps of all pictures of all seeds, `{name: (seeds, pictures, ...)}`.

    One program for every setting, which differ in the arrays alone.
    """

    def explain(*args: Any) -> dict[str, jax.Array]:
        return {name: method(*args) for name, method in explainers.items()}

    pictures = jax.vmap(explain, (0, None, 0, None, None))
    return jax.jit(jax.vmap(pictures))


def controls(rng: np.random.Generator, images: np.ndarray) -> dict[str, np.ndarray]:
    """Maps that know nothing of any network: `(..., SIZE, SIZE)` as the pictures."""
    edges = np.hypot(sobel(images, -1), sobel(images, -2))
    found = (laplace(images, axes=(-2, -1)), edges, images, rng.random(images.shape))
    return dict(zip(CONTROLS, map(np.abs, found), strict=True))
