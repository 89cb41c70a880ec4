"""The figures: a series with its maps, scores beside published ones, and the traps."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.evidence.series import masks, measure, published

BLUE, ORANGE, GREEN, INK, GREY = "#1d5fa8", "#c2570c", "#2c7a3f", "#222222", "#8a8a8a"
SMALL, NORMAL = 6.5, 7.5  # points
SHADES = LinearSegmentedColormap.from_list("shades", ["white", BLUE])
FIRST, STEPS = 0, 90  # steps that are drawn
STRIPS = (
    "Integrated gradients",
    "DeepLIFT",
    "GradientSHAP",
    "Occlusion by the mean",
    "Permutation",
    masks.mean_of(masks.ZERO),
    masks.mean_of(masks.BLUR),
    "Size of input, no model",
)
DOTS = {
    "area_under_precision": BLUE,
    "area_under_recall": ORANGE,
    "average_precision": GREEN,
}


def draw(example: Any, numbers: Mapping[str, Any], path: Path) -> Path:
    """A series of hidden states with its maps, and the scores of all problems."""
    figure = Figure(figsize=(7.4, 8.6), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=[1.0, 1.15])
    _strips(above, example)
    _dots(below, numbers)
    figure.savefig(path, dpi=170)
    return path


def _strips(figure: Any, example: Any) -> None:
    names = [name for name in STRIPS if name in example.maps]
    rows = 2 + len(names)
    axes = figure.subplots(rows, 1, sharex=True, height_ratios=[3.2] + [1] * (rows - 1))
    part = slice(FIRST, FIRST + STEPS)
    x, salient = example.x[0, part], example.salient[0, part]
    for channel, colour in enumerate((GREY, BLUE, ORANGE)):
        axes[0].plot(x[:, channel], color=colour, lw=0.9, label=f"channel {channel}")
    for t in np.flatnonzero(salient[:, 2]):
        axes[0].axvspan(t - 0.5, t + 0.5, color=ORANGE, alpha=0.12, lw=0)
    axes[0].set_title(
        "The label is told by channel 1, and where shaded by channel 2",
        fontsize=NORMAL,
        loc="left",
    )
    axes[0].legend(
        fontsize=SMALL,
        ncols=3,
        loc="lower right",
        bbox_to_anchor=(1, 1),
        frameon=False,
        borderaxespad=0,
    )
    _strip(axes[1], salient.astype(float), "the truth")
    for ax, name in zip(axes[2:], names, strict=True):
        whole = np.abs(example.maps[name][:1])
        _strip(ax, np.asarray(measure.scaled(whole))[0, part], name)
    for ax in axes:
        ax.tick_params(labelsize=SMALL, length=2)
        ax.spines[["top", "right"]].set_visible(False)
    axes[-1].set_xlabel("step", fontsize=SMALL)


def _strip(ax: Axes, values: np.ndarray, name: str) -> None:
    # One extreme entry must not turn all the others white.
    limit = float(np.quantile(values, 0.98))
    ax.imshow(
        values.T, cmap=SHADES, vmin=0, vmax=limit, aspect="auto", interpolation="none"
    )
    ax.set_yticks([])
    ax.set_ylabel(name, fontsize=SMALL, rotation=0, ha="right", va="center")


def _dots(figure: Any, numbers: Mapping[str, Any]) -> None:
    axes = figure.subplots(1, len(numbers), width_ratios=[1, 1, 1.2])
    for ax, (problem, scores) in zip(axes, numbers.items(), strict=True):
        known = published.TABLES[problem]
        names = [*scores, *(name for name in known if name not in scores)]
        for i, name in enumerate(names):
            for key, colour in DOTS.items():
                _dot(ax, i, scores.get(name, {}).get(key), colour)
                theirs = known.get(name, {}).get(key)
                if theirs is not None:
                    ax.plot(theirs, i, "D", ms=5, mfc="none", mec=colour, mew=0.9)
        ax.set_yticks(range(len(names)), names, fontsize=SMALL)
        ax.set_ylim(len(names) - 0.5, -0.5)
        ax.set_xlim(-0.03, 1.05)
        ax.set_title(problem, fontsize=NORMAL)
        ax.tick_params(axis="x", labelsize=SMALL)
        ax.grid(axis="y", lw=0.3)
        ax.spines[["top", "right"]].set_visible(False)
    if axes[0].get_yticks().size == axes[1].get_yticks().size:
        axes[1].set_yticklabels([])  # the two sums of squares have the same rows
    marks = [
        Line2D([], [], marker="o", ls="", ms=3.5, color=c, label=measure.MEASURES[k][0])
        for k, c in DOTS.items()
    ]
    marks.append(
        Line2D([], [], marker="D", ls="", mfc="none", mec=INK, label="published")
    )
    figure.legend(handles=marks, fontsize=SMALL, ncols=4, loc="outside lower center")


def _dot(ax: Axes, row: int, number: Mapping[str, float] | None, colour: str) -> None:
    if number is None:
        return
    mean, half = number["mean"], np.nan_to_num(number["half_width"])
    ax.plot([mean - half, mean + half], [row, row], color=colour, lw=1.2)
    ax.plot(mean, row, "o", ms=3.5, color=colour)


def draw_traps(traps: Mapping[str, Any], path: Path) -> Path:
    """How scores move where the order of the entries does not."""
    figure = Figure(figsize=(7.4, 2.9), layout="constrained")
    axes = figure.subplots(1, len(traps), sharey=True)
    lines = (
        ("area_under_precision", BLUE, "-"),
        ("area_under_precision_exact", BLUE, ":"),
        ("area_under_recall", ORANGE, "-"),
        ("average_precision", GREEN, "-"),
        ("roc_auc", INK, "--"),
    )
    for ax, (problem, scores) in zip(axes, traps.items(), strict=True):
        for key, colour, style in lines:
            means = [number[key]["mean"] for number in scores.values()]
            label = measure.MEASURES[key][0]
            ax.plot(means, style, marker="o", ms=3, color=colour, lw=1, label=label)
        ax.set_xticks(
            range(len(scores)), scores, fontsize=SMALL, rotation=35, ha="right"
        )
        ax.set_title(problem, fontsize=NORMAL)
        ax.set_ylim(0, 1.05)
        ax.tick_params(axis="y", labelsize=SMALL)
        ax.grid(axis="y", lw=0.3)
        ax.spines[["top", "right"]].set_visible(False)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, fontsize=SMALL, ncols=5, loc="outside upper center")
    figure.savefig(path, dpi=170)
    return path
