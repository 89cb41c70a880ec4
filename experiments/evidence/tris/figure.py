"""The figures: scores of every explainer, and a few of the maps behind them."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patheffects import Stroke

import jaxplain as jx
from experiments.evidence.tris import claims, explain
from experiments.evidence.tris.data import SIZE, Setting

INK, GREY = "#222222", "#8a8a8a"
SMALL, NORMAL = 6.0, 7.5
MARKS = {"LLR": ("s", GREY), "MLP": ("o", "#1d5fa8"), "CNN": ("^", "#c2570c")}
COLUMNS = {  # explainer to its title above the maps
    "Gradient": "Gradient",
    "Integrated gradients": "Integrated\ngradients",
    "DeepLIFT": "DeepLIFT",
    "LRP": "LRP",
    "Occlusion": "Occlusion",
    "LIME": "LIME",
    "Kernel SHAP": "Kernel\nSHAP",
    explain.PATTERN: "Covariance\nx gradient",
}


def draw_scores(results: claims.Results, path: Path) -> Path:
    """One panel for each setting: precision by explainer and network."""
    scenarios = list(dict.fromkeys(s.scenario for s in results))
    kinds = list(dict.fromkeys((s.background, s.signal) for s in results))
    names = ordered(results)
    height = 0.6 + len(scenarios) * (0.35 + 0.105 * len(names))
    figure = Figure(figsize=(7.6, height), layout="constrained")
    axes = figure.subplots(
        len(scenarios), len(kinds), sharex=True, sharey=True, squeeze=False
    )
    for row, scenario in zip(axes, scenarios, strict=True):
        for ax, kind in zip(row, kinds, strict=True):
            setting = Setting(scenario, *kind)
            panel(ax, results, setting, names)
        row[0].set_ylabel(scenario, fontsize=NORMAL, color=INK, weight="bold")
    for ax, (background, signal) in zip(axes[0], kinds, strict=True):
        title = f"{background} noise,\n{signal} signal"
        ax.set_title(title, fontsize=NORMAL, color=INK, pad=5)
    for ax in axes[-1]:
        ax.set_xlabel("precision", fontsize=NORMAL, color=INK)
    legend(figure, axes[0, 0], {network for _, network, _ in claims.explained(results)})
    figure.savefig(path, dpi=170, pil_kwargs={"optimize": True})
    return path


def ordered(results: claims.Results) -> list[str]:
    """Explainers in the order of the study."""
    names = (
        name for _, _, scores in claims.explained(results) for name in scores.precision
    )
    return list(dict.fromkeys(names))


def panel(
    ax: Axes, results: claims.Results, setting: Setting, names: list[str]
) -> None:
    """Means over seeds with their intervals, and the strongest control as a line."""
    result = results[setting]
    places = np.arange(len(names))
    shift = dict(zip(MARKS, (-0.24, 0.0, 0.24), strict=True))
    ax.barh(places[::2], 1.2, height=1.0, left=-0.1, color="#f3f4f6", zorder=0)
    for network, scores in result.explainers.items():
        marker, colour = MARKS[network]
        for place, name in zip(places, names, strict=True):
            if name in scores.precision:
                found = claims.over_seeds(scores.precision[name])
                ax.errorbar(
                    found["mean"],
                    place + shift[network],
                    xerr=found["half_width"],
                    fmt=marker,
                    color=colour,
                    markersize=2.6,
                    elinewidth=0.8,
                    label=network if place == 0 else None,
                )
    control = claims.strongest(result)
    value = result.controls.precision[control].mean()
    ax.axvline(value, color=INK, linewidth=0.9, linestyle="--", zorder=1)
    chance = result.controls.precision["Random"].mean()
    ax.axvline(chance, color=GREY, linewidth=0.8, linestyle=":", zorder=1)
    left = value > 0.5
    ax.text(
        value + (-0.02 if left else 0.02),
        len(names) + 0.75,
        control,
        fontsize=SMALL,
        color=INK,
        ha="right" if left else "left",
        va="bottom",
        style="italic",
    )
    ax.set_xlim(-0.04, 1.04)
    ax.set_ylim(len(names) + 0.9, -0.7)
    ax.set_yticks(places, names)
    ax.tick_params(labelsize=SMALL, width=0.6, length=2.0, colors=INK)
    for side, spine in ax.spines.items():
        spine.set_linewidth(0.6)
        spine.set_visible(side in ("left", "bottom"))


def legend(figure: Figure, ax: Axes, networks: set[str]) -> None:
    """The networks and the two lines, above all panels."""
    found = [name for name in MARKS if name in networks]
    marks = [
        ax.errorbar([], [], xerr=[], fmt=marker, color=colour, markersize=3.5)
        for marker, colour in (MARKS[name] for name in found)
    ]
    lines = [
        ax.plot([], [], color=INK, linewidth=0.9, linestyle="--")[0],
        ax.plot([], [], color=GREY, linewidth=0.8, linestyle=":")[0],
    ]
    figure.legend(
        [*marks, *lines],
        [*found, "the best map that knows no network", "random"],
        loc="outside upper center",
        ncols=5,
        fontsize=NORMAL,
        frameon=False,
        labelcolor=INK,
    )


def draw_maps(results: claims.Results, path: Path) -> Path:
    """A picture of each task and noise, and what explainers of the MLP say of it."""
    settings = [
        s for s, r in results.items() if s.signal == "weak" and "MLP" in r.shown
    ]
    known = results[settings[0]].shown["MLP"]
    shown = ["picture", *(name for name in COLUMNS if name in known), "Laplace"]
    figure = Figure(figsize=(7.6, 0.45 + 0.72 * len(settings)), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.015, h_pad=0.015, hspace=0.0, wspace=0.0)
    axes = figure.subplots(len(settings), len(shown), squeeze=False)
    for row, setting in zip(axes, settings, strict=True):
        found = results[setting].shown
        maps = found["MLP"] | found["controls"]
        for ax, name in zip(row, shown, strict=True):
            tile(ax, found["image"], maps.get(name), found["mask"])
        label = f"{setting.scenario}\n{setting.background}"
        row[0].set_ylabel(label, fontsize=SMALL, color=INK)
    for ax, name in zip(axes[0], shown, strict=True):
        title = COLUMNS.get(name, name.capitalize())
        ax.set_title(title, fontsize=SMALL + 0.5, color=INK, pad=4)
    figure.savefig(path, dpi=170, pil_kwargs={"optimize": True})
    return path


def tile(ax: Axes, image: np.ndarray, values: Any, mask: np.ndarray) -> None:
    """The picture, or a map with its precision, and the outline of the truth."""
    if values is None:
        ax.imshow(image, cmap="gray", interpolation="nearest")
    else:
        jx.plot.heatmap(values, ax=ax, limit=float(np.abs(values).max()))
        rank = float(jx.metrics.relevance_rank(np.abs(values), mask))
        ax.set_xlabel(f"{rank:.2f}", fontsize=SMALL, color=INK, labelpad=1.5)
    border = LineCollection(outline(mask), colors=INK, linewidths=0.9)
    if values is None:
        border.set_path_effects([Stroke(linewidth=2.0, foreground="white"), Stroke()])
    ax.add_collection(border)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set(linewidth=0.4, color="#c9c9c9")


def outline(mask: np.ndarray) -> list[Any]:
    """The edges between pixels that are in the mask and pixels that are not."""
    padded = np.pad(mask, 1)
    lines = []
    for i in range(SIZE + 1):
        for j in range(SIZE + 1):
            at, above = padded[i + 1, j + 1], padded[i, j + 1]
            if at != above:
                lines.append([(j - 0.5, i - 0.5), (j + 0.5, i - 0.5)])
            if at != padded[i + 1, j]:
                lines.append([(j - 0.5, i - 0.5), (j - 0.5, i + 0.5)])
    return lines
