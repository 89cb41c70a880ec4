"""One column per situation: the week before, and what of it made the forecast."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, SymLogNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

import jaxplain as jx
from experiments.traffic.explain import DAY
from experiments.traffic.series import WINDOW

# The library's own pair of colours, so that its bars and our map mean the same.
LOWERS, RAISES, INK, GREY = "#c2570c", "#1d5fa8", "#222222", "#8a8a8a"
SMALL, NORMAL, LARGE = 6.5, 7.5, 9.0
UNIT = "vehicles / hour"
SIGNED = LinearSegmentedColormap.from_list("signed", [LOWERS, "white", RAISES])
LINEAR_BELOW = 10.0  # vehicles/hour: the map is linear below, logarithmic above


class Situation(NamedTuple):
    """What is drawn in one column; the two truths are None where they are unknown."""

    name: str
    when: str
    history: np.ndarray
    volume: float
    forecast: float
    average: float
    by_hour: np.ndarray
    by_day: np.ndarray
    by_column: np.ndarray
    true_by_day: np.ndarray | None = None
    true_by_column: np.ndarray | None = None


def draw(
    situations: Sequence[Situation],
    columns: Sequence[str],
    players: Sequence[str],
    path: Path,
    unused: Sequence[str] = (),
) -> Path:
    """Write the figure as a PNG, 7.2 inches wide: two columns of a journal.

    Args:
        situations: What to draw, from left to right.
        columns: Names of the rows of the map.
        players: Names of the bars by column.
        path: Where to write.
        unused: Names, among both, that are known to have no effect; written in grey.
    """
    heights = [1.0, 0.145 * len(columns), 0.7, 0.17 * len(players)]
    figure = Figure(figsize=(7.2, 1.7 * sum(heights)), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03, hspace=0.03, wspace=0.03)
    axes = figure.subplots(
        4, len(situations), sharey="row", squeeze=False, height_ratios=heights
    )
    limit = max(np.abs(s.by_hour).max() for s in situations)
    norm = SymLogNorm(LINEAR_BELOW, linscale=0.6, vmin=-limit, vmax=limit)
    for column, situation in zip(axes.T, situations, strict=True):
        _series(column[0], situation)
        image = _map(column[1], situation, columns, norm)
        _days(column[2], situation)
        _columns(column[3], situation, players)
    _same_scale(axes[3])
    _label_rows(axes)
    colour_bar(axes[1, -1], image, limit)
    for ax in axes.flat:
        tidy(ax, unused)
    figure.savefig(path, dpi=200)
    return path


def _series(ax: Axes, situation: Situation) -> None:
    above = dict(xy=(0.5, 1), xycoords="axes fraction", textcoords="offset points")
    centred = dict(ha="center", color=INK, **above)
    bold = dict(fontsize=LARGE, fontweight="bold")
    ax.annotate(situation.name, xytext=(0, 28), **bold, **centred)
    ax.annotate(situation.when, xytext=(0, 18), fontsize=SMALL, **centred)
    ax.plot(np.arange(-WINDOW, 0), situation.history, color=GREY, linewidth=0.8)
    level = dict(color=INK, linewidth=0.7, linestyle=":")
    ax.axhline(situation.average, label="average\nforecast", **level)
    mark = dict(linestyle="none", clip_on=False, zorder=4)
    ax.plot(0, situation.volume, marker=".", color=INK, label="observed", **mark)
    hollow = dict(marker="D", markersize=5, color=RAISES, markerfacecolor="none")
    ax.plot(0, situation.forecast, label="forecast", **hollow, **mark)
    ax.set_ylim(bottom=0)
    _time_axis(ax, labelled=False)


def _map(
    ax: Axes, situation: Situation, columns: Sequence[str], norm: SymLogNorm
) -> AxesImage:
    image = ax.imshow(
        situation.by_hour.T,
        cmap=SIGNED,
        norm=norm,
        aspect="auto",
        interpolation="nearest",
        extent=(-WINDOW, 0, len(columns) - 0.5, -0.5),
    )
    ax.set_yticks(np.arange(len(columns)), columns)
    ax.set_yticks(np.arange(len(columns) - 1) + 0.5, minor=True)
    ax.grid(which="minor", axis="y", color="#e3e3e3", linewidth=0.5)
    _time_axis(ax, labelled=False)
    return image


def _days(ax: Axes, situation: Situation) -> None:
    centres = -WINDOW + DAY * (np.arange(len(situation.by_day)) + 0.5)
    jx.plot.series(situation.by_day, time=centres, ax=ax)
    ax.set_ylabel("")
    if situation.true_by_day is not None:
        _marks(ax, centres, situation.true_by_day, "_")
    _time_axis(ax, labelled=True)


def _columns(ax: Axes, situation: Situation, players: Sequence[str]) -> None:
    places = np.arange(len(players))
    colours = np.where(situation.by_column >= 0, RAISES, LOWERS)
    ax.barh(places, situation.by_column, height=0.66, color=colours)
    for colour, effect in (
        (RAISES, "raises the\nforecast"),
        (LOWERS, "lowers the\nforecast"),
    ):
        ax.plot([], [], "s", color=colour, markersize=5, label=effect)
    if situation.true_by_column is not None:
        _marks(ax, situation.true_by_column, places, "|")
    ax.axvline(0, color=GREY, linewidth=0.5)
    ax.set_yticks(places, players)
    ax.set_ylim(len(players) - 0.5, -0.5)
    ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    ax.xaxis.set_major_formatter(FuncFormatter(signed_number))
    ax.set_xlabel(UNIT, fontsize=NORMAL, color=INK)


def _marks(ax: Axes, x: np.ndarray, y: np.ndarray, marker: str) -> None:
    size = dict(markersize=8, markeredgewidth=1.3, color=INK)
    ax.plot(x, y, marker, label="the process\nitself", **size)


def _same_scale(axes: Sequence[Axes]) -> None:
    limits = np.array([ax.get_xlim() for ax in axes])
    for ax in axes:
        ax.set_xlim(limits[:, 0].min(), limits[:, 1].max())


def _time_axis(ax: Axes, *, labelled: bool) -> None:
    ax.set_xlim(-WINDOW, 0)
    ax.xaxis.set_major_locator(FixedLocator(np.arange(-6 * DAY, 1, 2 * DAY)))
    ax.xaxis.set_minor_locator(FixedLocator(np.arange(-WINDOW, 1, DAY)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{-x:.0f}"))
    ax.tick_params(axis="x", labelbottom=labelled)
    if labelled:
        ax.set_xlabel("hours before the target", fontsize=NORMAL, color=INK)


def _label_rows(axes: np.ndarray) -> None:
    titles = {
        "a": "Traffic",
        "b": "Integrated gradients, by hour and column",
        "c": "Occlusion, by day",
        "d": "KernelSHAP, by column",
    }
    for ax, (letter, title) in zip(axes[:, 0], titles.items(), strict=True):
        text = rf"$\bf{{{letter}}}$  {title}"
        ax.set_title(text, loc="left", fontsize=NORMAL, color=INK, pad=4)
    for row in (0, 2):
        axes[row, 0].set_ylabel(UNIT, fontsize=NORMAL, color=INK)
    style = dict(fontsize=SMALL, frameon=False, handlelength=1.2, labelcolor=INK)
    for row in (0, 2, 3):
        ax = axes[row, -1]
        if ax.get_legend_handles_labels()[0]:
            ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), **style)


def colour_bar(ax: Axes, image: AxesImage, limit: float) -> None:
    """The scale of a map, to the right of it."""
    # An inset, because a colour bar of its own would stand beyond the legends.
    bar = ax.figure.colorbar(image, cax=ax.inset_axes((1.06, 0, 0.05, 1)))
    powers = [p for p in (10, 100, 1000) if p <= limit]
    bar.set_ticks([-p for p in reversed(powers)] + [0] + powers)
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.ax.yaxis.set_major_formatter(FuncFormatter(signed_number))
    bar.ax.tick_params(labelsize=SMALL, width=0.6, length=2, colors=INK)
    bar.set_label(UNIT, fontsize=NORMAL, color=INK)
    bar.outline.set_linewidth(0.6)


def signed_number(value: float, _: int | None = None) -> str:
    """For the ticks of an axis."""
    return f"{value:+.0f}".replace("-", "\N{MINUS SIGN}") if value else "0"


def tidy(ax: Axes, unused: Sequence[str] = ()) -> None:
    """Small ticks, two thin spines, and in grey the names known to have no effect."""
    ax.tick_params(labelsize=SMALL, width=0.6, length=2.5, colors=INK)
    ax.tick_params(axis="y", which="minor", length=0)
    for label in ax.get_yticklabels():
        if label.get_text() in unused:
            label.set(color=GREY, style="italic")
    for side, spine in ax.spines.items():
        spine.set_linewidth(0.6)
        spine.set_visible(side in ("left", "bottom"))
