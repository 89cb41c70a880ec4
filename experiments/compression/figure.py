"""The figure: the same digit explained by every model, and how far they agree."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import jaxplain as jx

NUM_PICTURES = 3
SHOWN = {  # model to the title of its column
    "network": "Network",
    "another seed": "Another\nseed",
    "pruned by 80 %": "Pruned\nby 80 %",
    "pruned by 95 %": "Pruned\nby 95 %",
    "small, distilled": "Small,\ndistilled",
    "soft tree": "Soft\ntree",
    "linear": "Linear",
    "untrained": "Untrained",
}
INK, GREY, BLUE, ORANGE = "#222222", "#8a8a8a", "#1d5fa8", "#c2570c"
SMALL, NORMAL = 6.5, 7.5
STRONGEST = 99.0  # percentile of the magnitudes that gets the strongest colour
MARKS = (
    ("IG", "Integrated gradients", "o", BLUE),
    ("SHAP", "Kernel SHAP", "s", ORANGE),
)


def one_of_each(labels: np.ndarray, number: int) -> np.ndarray:
    """The first picture of the first classes that there are."""
    _, first = np.unique(labels, return_index=True)
    return first[np.linspace(0, len(first) - 1, number).round().astype(int)]


def draw(
    images: np.ndarray,
    maps: Mapping[str, np.ndarray],
    numbers: Mapping[str, Mapping[str, Any]],
    path: Path,
) -> Path:
    """Pictures and maps above, the agreement below, 7.2 inches wide."""
    figure = Figure(figsize=(7.2, 6.1), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.03, hspace=0.02, wspace=0.02)
    above, below = figure.subfigures(2, 1, height_ratios=[3.05, 3.05])
    axes = above.subplots(len(images), 1 + len(SHOWN))
    for i, row in enumerate(axes):
        row[0].imshow(images[i], cmap="gray_r", interpolation="nearest")
        for ax, name in zip(row[1:], SHOWN, strict=True):
            values = maps[name][i]
            limit = float(np.percentile(np.abs(values), STRONGEST))
            jx.plot.heatmap(values, ax=ax, limit=limit)
    for ax, title in zip(axes[0], ["Digit", *SHOWN.values()], strict=True):
        ax.set_title(title, fontsize=NORMAL, color=INK, pad=4)
    above.suptitle(
        r"$\bf{a}$  Integrated gradients of the class that the network sees: "
        "blue in favour, orange against",
        fontsize=NORMAL,
        color=INK,
        x=0.005,
        ha="left",
    )
    for ax in axes.flat:
        ax.set_xticks([])
        ax.set_yticks([])
        for spine in ax.spines.values():
            spine.set(visible=True, linewidth=0.5, color="#c9c9c9")
    left, right = below.subplots(1, 2, sharey=True, width_ratios=[1.75, 1])
    names = [name for name in numbers if name != "network"]
    _agreement(left, names, numbers)
    _accuracy(right, names, numbers)
    figure.savefig(path, dpi=160, pil_kwargs={"optimize": True})
    return path


def _agreement(
    ax: Axes, names: Sequence[str], numbers: Mapping[str, Mapping[str, Any]]
) -> None:
    for offset, (short, title, marker, colour) in zip(
        (-0.13, 0.13), MARKS, strict=True
    ):
        found = [numbers[name][f"{short}_rank_correlation"] for name in names]
        means = np.array([x["mean"] for x in found])
        errors = np.array([x["standard_error"] for x in found])
        places = np.arange(len(names)) + offset
        style = dict(fmt=marker, color=colour, markersize=4, elinewidth=1)
        ax.errorbar(means, places, xerr=2 * errors, label=title, **style)
        floor = means[names.index("another seed")]
        ax.axvline(floor, color=colour, linewidth=0.7, linestyle=":", zorder=0)
    ax.axvline(0, color=GREY, linewidth=0.5, zorder=0)
    ax.set_yticks(np.arange(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_xlim(right=1.0)
    ax.set_xlabel("rank correlation with the network", fontsize=NORMAL, color=INK)
    title = r"$\bf{b}$  Agreement of attributions, ± 2 s.e. (dotted: another seed)"
    ax.set_title(title, loc="left", fontsize=NORMAL, color=INK, pad=5)
    style = dict(fontsize=SMALL, frameon=False, labelcolor=INK)
    ax.legend(loc="center left", bbox_to_anchor=(0.2, 0.5), **style)
    _tidy(ax)


def _accuracy(
    ax: Axes, names: Sequence[str], numbers: Mapping[str, Mapping[str, Any]]
) -> None:
    means = np.array([numbers[name]["accuracy"]["mean"] for name in names])
    errors = np.array([numbers[name]["accuracy"]["standard_error"] for name in names])
    places = np.arange(len(names))
    style = dict(error_kw=dict(elinewidth=1), ecolor=INK, height=0.55)
    ax.barh(places, 100 * means, xerr=200 * errors, color="#b9c9dc", **style)
    ax.axvline(100 * numbers["network"]["accuracy"]["mean"], color=INK, linewidth=0.8)
    ax.set_xlim(0, 105)
    label = "held-out accuracy, % (line: the network)"
    ax.set_xlabel(label, fontsize=NORMAL, color=INK)
    sizes = ax.secondary_yaxis("right")
    sizes.set_yticks(places, [f"{numbers[name]['numbers']:,}" for name in names])
    sizes.tick_params(labelsize=SMALL, length=0, colors=INK)
    sizes.spines["right"].set_visible(False)
    whole = f"{numbers['network']['numbers']:,}"
    title = rf"$\bf{{c}}$  Accuracy, and size (network: {whole})"
    ax.set_title(title, loc="left", fontsize=NORMAL, color=INK, pad=5)
    ax.tick_params(axis="y", length=0)
    _tidy(ax)


def _tidy(ax: Axes) -> None:
    ax.tick_params(labelsize=SMALL, width=0.6, length=2.5, colors=INK)
    for side, spine in ax.spines.items():
        spine.set_linewidth(0.6)
        spine.set_visible(side in ("left", "bottom"))
