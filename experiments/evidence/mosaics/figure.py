"""The figure: two mosaics as the explainers see them, and how often they are right."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.evidence.mosaics.study import Trained
from experiments.pictures import data
from experiments.pictures.figure import Row, panel
from experiments.pictures.measure import share_inside

INK, GREY, BLUE, ORANGE = "#222222", "#8a8a8a", "#1d5fa8", "#c2570c"
SMALL, NORMAL = 6.5, 7.5
SHOWN = ("face", "gravel")
COLUMNS = {  # explainer to its title above the maps
    "Gradient": "Gradient",
    "Guided backprop": "Guided\nbackprop",
    "Integrated gradients": "Integrated\ngradients",
    "LRP": "LRP",
    "Grad-CAM": "Grad-CAM",
    "Occlusion": "Occlusion",
    "RISE": "RISE",
    "GP SHAP": "GP SHAP",
}
MEASURES = {"relevance_mass": "relevance mass", "pointing_game": "pointing game"}


def draw(
    seed: Trained,
    found: Mapping[str, tuple[Sequence[np.ndarray], Sequence[np.ndarray]]],
    numbers: Mapping[str, Mapping[str, Any]],
    path: Path,
) -> Path:
    """Maps of the first seed above, intervals over all seeds below."""
    figure = Figure(figsize=(7.6, 5.6), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.03, hspace=0.02, wspace=0.02)
    above, below = figure.subfigures(2, 1, height_ratios=[2.1, 3.5])
    titles = {k: title for k, title in COLUMNS.items() if k in found}
    axes = above.subplots(len(SHOWN), 1 + len(titles))
    for row, name in zip(axes, SHOWN, strict=True):
        maps(row, seed, name, {k: found[k][0][0] for k in titles})
    for ax, title in zip(axes[0], ["Mosaic", *titles.values()], strict=True):
        ax.set_title(title, fontsize=SMALL, color=INK, pad=3)
    places = below.subplots(1, len(MEASURES), sharey=True)
    for ax, (measure, title) in zip(places, MEASURES.items(), strict=True):
        intervals(ax, numbers, measure, title)
    places[0].legend(
        loc="lower right", fontsize=SMALL, frameon=False, labelcolor=INK, borderpad=0
    )
    figure.savefig(path, dpi=170, pil_kwargs={"optimize": True})
    return path


def maps(
    axes: Sequence[Axes], seed: Trained, name: str, found: Mapping[str, np.ndarray]
) -> None:
    """The first mosaic of a class, and what explainers say about it."""
    i = int(np.flatnonzero(seed.examples.labels == data.CLASSES.index(name))[0])
    region = seed.regions[i]
    shares = {
        k: float(share_inside(v[i][None], region[None])[0]) for k, v in found.items()
    }
    row = Row(
        name,
        seed.examples.images[i],
        region,
        {k: v[i] for k, v in found.items()},
        shares,
    )
    for ax, title in zip(axes, ["Mosaic", *found], strict=True):
        panel(ax, row, title)
    axes[0].set_ylabel(name, fontsize=SMALL, color=INK)


def intervals(
    ax: Axes, numbers: Mapping[str, Mapping[str, Any]], measure: str, title: str
) -> None:
    """A dot for each explainer, and a hollow one for its untrained twin."""
    names = list(numbers)
    places = np.arange(len(names))
    ax.barh(places[::2], 1.2, height=1.0, left=-0.1, color="#f3f4f6", zorder=0)
    ax.axvline(1 / data.GRID**2, color=GREY, linewidth=0.8, linestyle=":", zorder=1)
    style = {"markersize": 4, "elinewidth": 1.0}
    twin = f"{measure}_untrained"
    asked = [i for i, name in enumerate(names) if twin in numbers[name]]
    known = [i for i, name in enumerate(names) if twin not in numbers[name]]
    for kind, rows, mark, colour, fill, label in (
        (measure, asked, "o", BLUE, BLUE, "trained"),
        (twin, asked, "o", GREY, "white", "untrained"),
        (measure, known, "s", ORANGE, ORANGE, "no network"),
    ):
        found = [numbers[names[i]][kind] for i in rows]
        ax.errorbar(
            [x["mean"] for x in found],
            rows,
            xerr=[x["half_width"] for x in found],
            fmt=mark,
            color=colour,
            markerfacecolor=fill,
            label=label,
            **style,
        )
    ax.set_yticks(places, names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.set_xlim(-0.04, 1.04)
    ax.set_xlabel(f"{title} (dotted: chance)", fontsize=NORMAL, color=INK)
    ax.tick_params(labelsize=SMALL, width=0.6, length=2.0, colors=INK)
    for side, spine in ax.spines.items():
        spine.set_linewidth(0.6)
        spine.set_visible(side in ("left", "bottom"))
