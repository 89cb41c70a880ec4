"""The figures: the maps of one digit while its network is lost, and the curves."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import jaxplain as jx
from experiments.evidence.sanity.explain import EDGES
from experiments.evidence.sanity.measure import SIMILARITIES

SMALL, NORMAL = 6.5, 7.5  # points
INK = "#222222"
STRONGEST = 99.0  # percentile of the magnitudes that gets the strongest colour

# Gradients and their kin in blues and greens, what is rewritten in warm colours.
STYLES = {
    "Gradient": ("#1d5fa8", "-"),
    "SmoothGrad": ("#1d5fa8", ":"),
    "Input x gradient": ("#4aa3a2", "-"),
    "Integrated gradients": ("#4aa3a2", ":"),
    "DeepLIFT": ("#2c7a3f", "-"),
    "LRP, epsilon": ("#2c7a3f", ":"),
    "LRP, z+": ("#c2570c", ":"),
    "Guided backprop": ("#c2570c", "-"),
    "Guided Grad-CAM": ("#8c3f9e", ":"),
    "Grad-CAM": ("#8c3f9e", "-"),
    EDGES: ("#8a8a8a", "--"),
}


def draw_maps(
    image: np.ndarray,
    maps: Mapping[str, np.ndarray],
    stages: Sequence[str],
    path: Path,
) -> Path:
    """One row per explainer, one column per stage of the cascade, after the digit."""
    rows, columns = len(maps), len(stages) + 1
    figure = Figure(figsize=(0.62 * columns + 1.1, 0.62 * rows + 0.4))
    axes = figure.subplots(
        rows,
        columns,
        gridspec_kw={
            "left": 1.1 / figure.get_figwidth(),
            "right": 0.99,
            "top": 1 - 0.3 / figure.get_figheight(),
            "bottom": 0.01,
            "wspace": 0.06,
            "hspace": 0.06,
        },
    )
    for line, (name, values) in zip(axes, maps.items(), strict=True):
        line[0].imshow(image, cmap="gray_r", interpolation="nearest")
        for ax, stage in zip(line[1:], values, strict=True):
            limit = float(np.percentile(np.abs(stage), STRONGEST)) or 1.0
            jx.plot.heatmap(stage, ax=ax, limit=limit)
        for ax in line:
            ax.set_xticks([])
            ax.set_yticks([])
            ax.spines[:].set_linewidth(0.3)
        line[0].set_ylabel(name, fontsize=SMALL, rotation=0, ha="right", va="center")
    titles = ["digit", "trained", *(f"+ {stage}" for stage in stages[1:])]
    for ax, title in zip(axes[0], titles, strict=True):
        ax.set_title(title, fontsize=SMALL, pad=3)
    figure.savefig(path, dpi=200)
    return path


def draw_curves(numbers: Mapping[str, Any], stages: Sequence[str], path: Path) -> Path:
    """Similarity by stage: one row per order of randomising, one column per measure."""
    figure = Figure(figsize=(7.4, 4.9), layout="constrained")
    axes = figure.subplots(2, len(SIMILARITIES), sharex="row", sharey=True)
    for line, test in zip(axes, ("cascading", "independent"), strict=True):
        for ax, key in zip(line, SIMILARITIES, strict=True):
            for name, found in numbers.items():
                _line(ax, found["curves"][test][key], name)
            ax.set_title(_TITLES[key] if test == "cascading" else "", fontsize=NORMAL)
            ax.set_xticks(range(len(stages)), _ticks(stages, test))
            for label in ax.get_xticklabels():
                label.set(rotation=35, ha="right", rotation_mode="anchor")
            ax.tick_params(labelsize=SMALL, length=2)
            ax.axhline(0, color=INK, lw=0.4)
            ax.set_ylim(-0.35, 1.05)
            ax.spines[["top", "right"]].set_visible(False)
        line[0].set_ylabel(_ORDERS[test], fontsize=SMALL)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, fontsize=SMALL, loc="outside right center")
    figure.savefig(path, dpi=170)
    return path


_TITLES = {
    "rank": "rank correlation",
    "rank_absolute": "of absolute values",
    "ssim": "SSIM",
}
_ORDERS = {
    "cascading": "from the output down",
    "independent": "one layer alone",
}


def _ticks(stages: Sequence[str], test: str) -> list[str]:
    plus = "+" if test == "cascading" else ""
    return ["none", *(f"{plus}{stage}" for stage in stages[1:])]


def _line(ax: Any, curve: Sequence[Mapping[str, float]], name: str) -> None:
    colour, style = STYLES[name]
    means = np.array([stage["mean"] for stage in curve])
    half = np.nan_to_num([stage["half_width"] for stage in curve])
    places = np.arange(len(curve))
    ax.fill_between(places, means - half, means + half, color=colour, alpha=0.12, lw=0)
    ax.plot(places, means, style, color=colour, lw=1.2, label=name)
