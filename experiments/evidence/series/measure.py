"""How well maps mark the cause, and how far published measures can be trusted."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxplain import metrics

# Measure, its name in tables, and its decimal places.
MEASURES = {
    "area_under_precision": ("AUP", 3),
    "area_under_recall": ("AUR", 3),
    "information": ("information", 0),
    "entropy": ("entropy", 0),
    "roc_auc": ("AUROC", 3),
    "average_precision": ("AUPRC", 3),
    "area_under_precision_exact": ("AUP, exact", 3),
}


@jax.jit
def scores(maps: jax.Array, masks: jax.Array) -> dict[str, jax.Array]:
    """All measures of maps of several series, each scaled by itself, and then pooled.

    As the published tables do, which join thresholds by lines; the last is the integral
    itself. Information and entropy are sums over all series.
    """
    m = scaled(maps)
    lines = {"rule": "trapezoid"}
    return {
        "area_under_precision": metrics.area_under_precision(m, masks, **lines),
        "area_under_recall": metrics.area_under_recall(m, masks, **lines),
        "information": metrics.information(m, masks),
        "entropy": metrics.mask_entropy(m, masks),
        "roc_auc": metrics.roc_auc(m, masks),
        "average_precision": metrics.average_precision(m, masks),
        "area_under_precision_exact": metrics.area_under_precision(m, masks),
    }


def scaled(maps: jax.Array) -> jax.Array:
    """Each map from 0 to 1; a constant one is 0."""
    axes = tuple(range(1, maps.ndim))
    low, high = maps.min(axes, keepdims=True), maps.max(axes, keepdims=True)
    return (maps - low) / jnp.where(high > low, high - low, 1)


def transformed(maps: np.ndarray, masks: np.ndarray) -> dict[str, np.ndarray]:
    """Maps that order the entries alike, or nearly: what changes is how they spread.

    The last is thresholded: as many entries as the masks have are 1.
    """
    m = np.asarray(scaled(jnp.asarray(maps)))
    highest = np.quantile(m, 1 - masks.mean())
    return {
        "the map": m,
        "its square": m**2,
        "its square root": np.sqrt(m),
        "its fourth root": m**0.25,
        "its highest entries": (m > highest).astype(m.dtype),
        "the answer itself": masks.astype(m.dtype),
    }


def numbers(maps: Any, masks: Any) -> dict[str, float]:
    """`scores`, as plain numbers."""
    return {k: float(v) for k, v in scores(jnp.asarray(maps), masks).items()}
