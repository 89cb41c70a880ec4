"""One row of panels per day: what is true of it, and what that is worth."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

import jaxplain as jx

INK = "#222222"
SMALL, NORMAL, LARGE = 6.5, 7.5, 9.0
TITLES = (
    ("LIME on bins", "the bin of this day\ninstead of another"),
    (
        "LIME on slopes",
        "a standard deviation more, or\nthis category instead of another",
    ),
    ("Shapley values", "this value instead of those\nof days of the training data"),
)
UNIT = "rentals per day"


class Panel(NamedTuple):
    """One explanation: a number per feature, with errors where they are known."""

    values: np.ndarray
    errors: np.ndarray | None = None
    truth: np.ndarray | None = None


class Day(NamedTuple):
    """What is drawn in one row."""

    title: str
    caption: str
    conditions: Sequence[str]
    panels: Sequence[Panel]


def draw(days: Sequence[Day], path: Path) -> Path:
    """Write the figure as a PNG, 7.2 inches wide: two columns of a journal."""
    features = len(days[0].conditions)
    height = 0.7 + len(days) * (0.4 + 0.155 * features)
    figure = Figure(figsize=(7.2, height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.04, h_pad=0.04, hspace=0.2, wspace=0.03)
    axes = figure.subplots(len(days), 3, sharex="col", sharey="row", squeeze=False)
    known = any(panel.truth is not None for day in days for panel in day.panels)
    for i, (row, day) in enumerate(zip(axes, days, strict=True)):
        for ax, panel in zip(row, day.panels, strict=True):
            _bars(ax, panel, day.conditions)
        _write(row[0], day.title, -6, LARGE, ha="right", fontweight="bold")
        _write(row[0], day.caption, 0, NORMAL)
        if i == 0:
            for ax, (name, meaning) in zip(row, TITLES, strict=True):
                bold = rf"$\bf{{{name.replace(' ', '~')}}}$"
                style = dict(fontsize=NORMAL, color=INK, loc="left", pad=20)
                ax.set_title(f"{bold}\n{meaning}", **style)
    for ax in axes[-1]:
        ax.set_xlabel(UNIT, fontsize=NORMAL, color=INK)
    if known:
        ax = axes[-1, 0]
        handle = ax.plot([], [], "|", color=INK, markersize=8, markeredgewidth=1.3)
        legend = ax.legend(
            handle,
            ["the rule itself"],
            fontsize=SMALL,
            frameon=False,
            loc="upper right",
            bbox_to_anchor=(0, -0.02),
            handlelength=0.6,
            labelcolor=INK,
        )
        legend.set_in_layout(False)
    figure.savefig(path, dpi=200)
    return path


def _write(ax: Axes, text: str, left: float, size: float, **style: str) -> None:
    """A line above a row of panels, which may run across them."""
    drawn = ax.annotate(
        text,
        (0, 1),
        (left, 7),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=size,
        color=INK,
        **style,
    )
    drawn.set_in_layout(False)


def _bars(ax: Axes, panel: Panel, conditions: Sequence[str]) -> None:
    jx.plot.bars(panel.values, conditions, errors=panel.errors, sort=False, ax=ax)
    ax.set_ylim(len(conditions) - 0.4, -0.6)
    if panel.truth is not None:
        marks = dict(markersize=8, markeredgewidth=1.3, color=INK)
        ax.plot(panel.truth, np.arange(len(conditions)), "|", **marks)
    ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    ax.xaxis.set_major_formatter(FuncFormatter(_signed))
    ax.tick_params(labelsize=SMALL, width=0.6, length=2.5, colors=INK)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color="#ececec", linewidth=0.6)
    ax.set_axisbelow(True)
    for spine in ax.spines.values():
        spine.set_linewidth(0.6)


def _signed(value: float, _: int | None = None) -> str:
    return f"{value:+,.0f}".replace("-", "\N{MINUS SIGN}") if value else "0"
