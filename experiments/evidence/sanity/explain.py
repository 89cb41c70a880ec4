"""Explainers as functions of the parameters, and two controls that ignore them."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

import jaxplain as jx
from experiments.evidence.sanity.data import SIZE
from experiments.evidence.sanity.model import TOP, score
from jaxplain import cam, rules

Explain = Callable[..., jax.Array]

NOISE = 0.15  # of SmoothGrad, in units of the range of the pixels
EDGES = "Edges, no model"


class Budget(NamedTuple):
    """How much is evaluated."""

    steps: int = 16  # of integrated gradients
    noisy: int = 16  # inputs of SmoothGrad
    smoothed: int = 8  # inputs whose maps are averaged before they are compared
    methods: tuple[str, ...] = ()  # all of them


QUICK_METHODS = "Gradient", "LRP, z+", "Guided backprop", "Grad-CAM"
QUICK = Budget(4, 4, 2, (*QUICK_METHODS, EDGES))
KEY = jax.random.key(0)  # of the noise: the same for every set of weights


def methods(budget: Budget) -> dict[str, Explain]:
    """Explainers `(params, image, label) -> map`, by name.

    Grad-CAM is signed: its ReLU would leave nothing of many random networks.
    """
    gradient = jx.saliency(score)
    smooth_grad = jx.smooth(gradient, std=NOISE, num_samples=budget.noisy, chunk_size=1)
    ig = jx.integrated_gradients(score, steps=budget.steps, chunk_size=1)
    guided = jx.saliency(rules.guided(score))
    deep_lift = rules.deep_lift(score)
    lrp = {
        name: rules.lrp(score, rule)
        for name, rule in {
            "LRP, epsilon": rules.epsilon(),
            "LRP, z+": rules.zplus(),
        }.items()
    }
    grad_cam = jx.grad_cam(score, at=TOP)
    guided_grad_cam = cam.guided_grad_cam(score, at=TOP)

    def plain(explain: Any) -> Explain:
        return lambda params, x, label: explain(x, params, label)

    def against_black(explain: Any) -> Explain:
        return lambda params, x, label: explain(x, params, label, baseline=0.0)

    def stretched(params: Any, x: Any, label: Any) -> jax.Array:
        return cam.upsample(grad_cam(x, params, label), (SIZE, SIZE))

    every = {
        "Gradient": plain(gradient),
        "SmoothGrad": lambda params, x, label: smooth_grad(x, params, label, key=KEY),
        "Input x gradient": plain(jx.input_x_gradient(score)),
        "Integrated gradients": against_black(ig),
        "DeepLIFT": against_black(deep_lift),
        **{name: plain(explain) for name, explain in lrp.items()},
        "Guided backprop": plain(guided),
        "Guided Grad-CAM": plain(guided_grad_cam),
        "Grad-CAM": stretched,
        EDGES: edges,
    }
    return {name: every[name] for name in budget.methods or every}


def edges(params: Any, image: jax.Array, label: Any) -> jax.Array:
    """The size of the steps to the neighbours: an edge detector."""
    del params, label
    down, right = jnp.gradient(image)
    return jnp.hypot(down, right)
