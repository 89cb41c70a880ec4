"""Attributions of each model, and how far they agree with those of the network."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import rankdata

import jaxplain as jx
from experiments.compression.compress import Model

IG_STEPS = 16
PATCH = 2  # pixels on a side
NUM_COALITIONS = 256
AT_ONCE = 20  # pictures
TOP = 0.2  # the share of the features that counts as the top
METHODS = ("Integrated gradients", "Kernel SHAP")


@cache
def score(logits: Callable[..., Any]) -> Callable[..., Any]:
    """What is explained: the log-odds of one class."""

    def log_odds(x: Any, params: Any, label: Any) -> Any:
        out = logits(x, params)
        others = jnp.where(jnp.arange(len(out)) == label, -jnp.inf, out)
        return out[label] - jax.nn.logsumexp(others)

    return log_odds


@cache
def explainer(logits: Callable[..., Any], method: str, size: int) -> Callable[..., Any]:
    """A program `(images, params, labels, key) -> attributions`, one for each kind."""
    f = score(logits)
    if method == METHODS[0]:
        explain = jx.integrated_gradients(f, steps=IG_STEPS)
        one = lambda x, params, label, key: explain(x, params, label, baseline=0.0)
    else:
        groups, number = jx.groups.patches((size, size), size=PATCH)
        shap = jx.kernel_shap(f, num_samples=NUM_COALITIONS, num_groups=number)
        one = lambda x, params, label, key: shap(
            x, params, label, baseline=0.0, key=key, groups=groups
        )

    return jax.jit(jax.vmap(one, in_axes=(0, None, 0, None)))


@cache
def program(logits: Callable[..., Any]) -> Callable[..., Any]:
    return jax.jit(jax.vmap(logits, in_axes=(0, None)))


def outputs(models: Mapping[str, Model], images: np.ndarray) -> dict[str, np.ndarray]:
    """The logits of every model."""
    return {
        name: np.asarray(program(model.logits)(images, model.params))
        for name, model in models.items()
    }


def attributions(
    models: Mapping[str, Model], images: np.ndarray, labels: np.ndarray, key: Any
) -> dict[str, dict[str, np.ndarray]]:
    """By method and model. All models meet the same coalitions."""

    def explain(model: Model, method: str) -> np.ndarray:
        explain = explainer(model.logits, method, images.shape[1])
        # A loop in Python, for compiled ones are slow at convolutions on a CPU.
        parts = [
            explain(images[i : i + AT_ONCE], model.params, labels[i : i + AT_ONCE], key)
            for i in range(0, len(images), AT_ONCE)
        ]
        return np.concatenate(parts)

    return {
        method: {name: explain(model, method) for name, model in models.items()}
        for method in METHODS
    }


def agreement(a: np.ndarray, b: np.ndarray) -> dict[str, np.ndarray]:
    """Three measures of two stacks of attributions: one number for each picture."""
    a, b = (np.asarray(m, float).reshape(len(m), -1) for m in (a, b))
    ranks = [rankdata(m, axis=1) for m in (a, b)]
    number = round(TOP * a.shape[1])
    top = [m.argsort(1, kind="stable")[:, -number:] for m in (a, b)]
    shared = [len(np.intersect1d(*pair)) / number for pair in zip(*top, strict=True)]
    return {
        "rank_correlation": cosine(*(r - r.mean(1, keepdims=True) for r in ranks)),
        "cosine": cosine(a, b),
        "top_overlap": np.array(shared),
    }


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return (a * b).sum(1) / np.where(norms > 0, norms, 1)
