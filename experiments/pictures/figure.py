"""The figure: pictures, and what each explainer says about them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patheffects import Stroke

import jaxplain as jx

# Inches. All are whole numbers of dots, and a panel is two per pixel of a picture.
PANEL, GAP = 1.0, 0.0625
LEFT, TOP, BOTTOM = 0.375, 0.25, 0.4375
DPI = 128
SMALL, NORMAL = 6.5, 7.5  # points
STRONGEST = 99.0  # percentile of the magnitudes that gets the strongest colour


class Row(NamedTuple):
    """One picture of the figure."""

    name: str
    image: np.ndarray
    region: np.ndarray  # where the evidence must be
    maps: Mapping[str, np.ndarray]
    shares: Mapping[str, float]


def draw(rows: Sequence[Row], path: Path) -> Path:
    """Draw one row per picture and one column per explainer, at print size."""
    names = ["Picture", *rows[0].maps]
    width = LEFT + len(names) * (PANEL + GAP)
    height = TOP + len(rows) * (PANEL + GAP) + BOTTOM
    figure = Figure(figsize=(width, height))
    for i, row in enumerate(rows):
        bottom = height - TOP - (i + 1) * (PANEL + GAP) + GAP
        for j, name in enumerate(names):
            left = LEFT + j * (PANEL + GAP)
            box = (left / width, bottom / height, PANEL / width, PANEL / height)
            ax = figure.add_axes(box)
            panel(ax, row, name)
            if i == 0:
                ax.set_title(name, fontsize=NORMAL, pad=4)
            if j == 0:
                ax.set_ylabel(row.name, fontsize=NORMAL, labelpad=4)
    scale(figure, width, height)
    figure.savefig(path.with_suffix(".pdf"))
    figure.savefig(path, dpi=DPI, pil_kwargs={"optimize": True})
    return path


def panel(ax: Axes, row: Row, name: str) -> None:
    """A picture, or a signed map over it, with the true region and the share in it."""
    if name in row.maps:
        values = row.maps[name]
        # One extreme pixel must not turn all the others white.
        limit = float(np.percentile(np.abs(values), STRONGEST))
        jx.plot.heatmap(values, image=row.image, ax=ax, limit=limit, alpha=0.85)
        share(ax, f"{100 * row.shares[name]:.0f}%")
    else:
        ax.imshow(row.image, cmap="gray", interpolation="nearest")
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    outline(ax, row.region)


def outline(ax: Axes, region: np.ndarray) -> None:
    """The border of a rectangular region, black on white to show on any picture."""
    rows, columns = np.flatnonzero(region.any(1)), np.flatnonzero(region.any(0))
    top, bottom = rows[[0, -1]] + (-0.5, 0.5)
    left, right = columns[[0, -1]] + (-0.5, 0.5)
    ax.plot(
        [left, right, right, left, left],
        [top, top, bottom, bottom, top],
        color="black",
        linewidth=0.9,
        path_effects=[Stroke(linewidth=2.2, foreground="white"), Stroke()],
        clip_on=False,
    )


def share(ax: Axes, text: str) -> None:
    """A number in the corner, readable over any picture."""
    ax.text(
        0.965,
        0.045,
        text,
        transform=ax.transAxes,
        fontsize=SMALL,
        ha="right",
        va="bottom",
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.2, "alpha": 0.85},
    )


def scale(figure: Figure, width: float, height: float) -> None:
    """What the colours, the outlines and the numbers mean, below all panels."""
    box = (LEFT / width, 0.25 / height, PANEL / width, 0.065 / height)
    ax = figure.add_axes(box)
    colours = [jx.plot.AGAINST, "white", jx.plot.FAVOUR]
    signed = LinearSegmentedColormap.from_list("signed", colours)
    bar = figure.colorbar(
        ScalarMappable(Normalize(-1, 1), signed), cax=ax, orientation="horizontal"
    )
    bar.set_ticks([-0.8, 0.8], labels=["against", "in favour"])
    bar.outline.set_linewidth(0.4)
    ax.tick_params(labelsize=SMALL, length=0, pad=3)
    figure.text(
        (LEFT + PANEL + 0.25) / width,
        0.2825 / height,
        "Outlined: where the class is. Percentages: share of the positive attribution "
        "that lies inside.",
        fontsize=SMALL,
        va="center",
    )
