"""The figure: a digit and its marks, what the networks read, and what is seen of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import jaxplain as jx
from experiments.evidence.shortcut import data, model, study

INK, GREY = "#222222", "#8a8a8a"
COLOURS = {
    model.PLAIN: "#c2570c",
    model.RIGHT: "#1d5fa8",
    model.PRIOR: "#5b9bd5",
    model.CLEAN: "#8a8a8a",
}
TITLES = {
    model.PLAIN: "Plain",
    model.RIGHT: "Right\nreasons",
    model.PRIOR: "Expected\ngradients",
    model.CLEAN: "No\nshortcut",
}
SMALL, NORMAL = 6.5, 7.5
STRONGEST = 99.0  # percentile of the magnitudes that gets the strongest colour


def draw(found: study.Findings, numbers: Mapping[str, Any], path: Path) -> Path:
    """Pictures above, numbers below, 7.2 inches wide."""
    figure = Figure(figsize=(7.2, 6.4), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.03, hspace=0.02, wspace=0.02)
    above, below = figure.subfigures(2, 1, height_ratios=[1.5, 4.6])
    axes = above.subplots(1, 7)
    for ax, (mark, image) in zip(axes, found.images.items(), strict=False):
        ax.imshow(image, cmap="gray_r", interpolation="nearest", vmin=-1, vmax=1.6)
        ax.set_title(f"Mark\n{mark}", fontsize=NORMAL, color=INK, pad=4)
    for ax, (way, values) in zip(axes[3:], found.maps.items(), strict=True):
        limit = float(np.percentile(np.abs(values), STRONGEST))
        jx.plot.heatmap(values, ax=ax, limit=limit)
        ax.set_title(TITLES[way], fontsize=NORMAL, color=COLOURS[way], pad=4)
    edge = found.images["right"].shape[0] - data.BORDER - 0.5
    for ax in axes:
        _frame(ax)
        ax.axhline(edge, color=INK, linewidth=0.7, linestyle=":")
    above.suptitle(
        r"$\bf{a}$  One held-out digit with three marks, and integrated gradients "
        "of its class, by four networks (mark right; dotted: the strip)",
        fontsize=NORMAL,
        color=INK,
        x=0.005,
        ha="left",
    )
    left, middle, right = below.subplots(1, 3, width_ratios=[1.25, 1.3, 0.8])
    _accuracy(left, numbers["accuracy"])
    order = sorted(
        numbers["explainers"],
        key=lambda n: -numbers["explainers"][n]["told_apart"]["mean"],
    )
    _shares(middle, order, numbers["explainers"], numbers["area"])
    _told_apart(right, order, numbers["explainers"])
    figure.savefig(path, dpi=160, pil_kwargs={"optimize": True})
    return path


def _accuracy(ax: Axes, accuracy: Mapping[str, Any]) -> None:
    width = 0.2
    for i, way in enumerate(study.WAYS):
        rows = [accuracy[way][mark] for mark in data.MARKS]
        places = np.arange(len(rows)) + (i - 1.5) * width
        ax.bar(
            places,
            [100 * row["mean"] for row in rows],
            width,
            yerr=[100 * row["half_width"] for row in rows],
            color=COLOURS[way],
            error_kw={"elinewidth": 0.8},
            ecolor=INK,
            label=TITLES[way].replace("\n", " "),
        )
    ax.set_xticks(np.arange(len(data.MARKS)), [f"mark {m}" for m in data.MARKS])
    ax.set_ylim(0, 105)
    ax.axhline(10, color=GREY, linewidth=0.6, linestyle=":")
    ax.set_ylabel("held-out accuracy, %", fontsize=NORMAL, color=INK)
    ax.legend(
        fontsize=SMALL,
        frameon=False,
        labelcolor=INK,
        ncols=2,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.06),
    )
    _title(ax, "b", "What each network reads")
    _tidy(ax)


def _shares(
    ax: Axes, order: Sequence[str], rows: Mapping[str, Any], area: float
) -> None:
    for i, way in enumerate(study.WAYS):
        found = [rows[name]["shares"][way] for name in order]
        ax.errorbar(
            [x["mean"] for x in found],
            np.arange(len(order)) + 0.16 * (i - 1.5),
            xerr=[x["half_width"] for x in found],
            fmt="o",
            color=COLOURS[way],
            markersize=3,
            elinewidth=0.8,
        )
    ax.axvline(area, color=GREY, linewidth=0.6, linestyle=":")
    ax.set_yticks(np.arange(len(order)), order)
    ax.set_ylim(len(order) - 0.5, -0.5)
    ax.set_xlim(0, 1)
    ax.set_xlabel("share in the strip (dotted: its area)", fontsize=NORMAL, color=INK)
    _title(ax, "c", "Attribution on the mark")
    _tidy(ax)


def _told_apart(ax: Axes, order: Sequence[str], rows: Mapping[str, Any]) -> None:
    found = [rows[name]["told_apart"] for name in order]
    ax.barh(
        np.arange(len(order)),
        [x["mean"] for x in found],
        0.6,
        xerr=[x["half_width"] for x in found],
        color="#b9c9dc",
        error_kw={"elinewidth": 0.8},
        ecolor=INK,
    )
    ax.axvline(0.5, color=GREY, linewidth=0.6, linestyle=":")
    ax.set_yticks([])
    ax.set_ylim(len(order) - 0.5, -0.5)
    ax.set_xlim(0, 1.05)
    ax.set_xlabel("AUC (dotted: chance)", fontsize=NORMAL, color=INK)
    _title(ax, "d", "Shortcut detected")
    _tidy(ax)


def _title(ax: Axes, letter: str, text: str) -> None:
    title = rf"$\bf{{{letter}}}$  {text}"
    ax.set_title(title, loc="left", fontsize=NORMAL, color=INK, pad=5)


def _frame(ax: Axes) -> None:
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set(visible=True, linewidth=0.5, color="#c9c9c9")


def _tidy(ax: Axes) -> None:
    ax.tick_params(labelsize=SMALL, width=0.6, length=2.5, colors=INK)
    for side, spine in ax.spines.items():
        spine.set_linewidth(0.6)
        spine.set_visible(side in ("left", "bottom"))
