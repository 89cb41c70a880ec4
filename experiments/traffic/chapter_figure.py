"""The published network on three named hours, lined up with the weeks before them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import SymLogNorm
from matplotlib.dates import DayLocator, HourLocator, num2date
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from experiments.traffic import figure as style
from experiments.traffic.chapter import Map

DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def draw(drawn: dict[str, list[Map]], columns: Sequence[str], path: Path) -> Path:
    """Write the figure as a PNG: a column for each hour, and time along every axis.

    Args:
        drawn: Of `chapter.maps`.
        columns: Names of the rows of the maps.
        path: Where to write.
    """
    labelled, printed = drawn["labelled"], drawn["printed"]
    names = [name.removeprefix("weather_") for name in columns]
    figure = Figure(figsize=(7.2, 8.2), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03, hspace=0.02, wspace=0.03)
    heights = [1.0, 2.0, 0.8, 0.05, 2.0]
    grid = figure.add_gridspec(5, len(labelled), height_ratios=heights)
    limit = max(np.abs(m.by_hour).max() for m in [*labelled, *printed])
    norm = SymLogNorm(style.LINEAR_BELOW, linscale=0.6, vmin=-limit, vmax=limit)
    place = lambda row, column: figure.add_subplot(grid[row, column])
    rows: dict[int, list[Axes]] = {row: [] for row in (0, 1, 2, 4)}
    for column, m in enumerate(labelled):
        rows[0].append(_series(place(0, column), m))
        ax = place(1, column)
        image = _map(ax, m, names, norm)
        rows[1].append(ax)
        rows[2].append(_past(place(2, column), m))
    for column, m in enumerate(printed):
        ax = place(4, column)
        _map(ax, m, names, norm)
        target = f"target {m.hours[-1].item():%a %d %B, %H:00}"
        ax.text(0, 1.015, target, transform=ax.transAxes, fontsize=style.SMALL)
        rows[4].append(ax)
    last = place(4, len(labelled) - 1)
    for axes in rows.values():
        _share(axes)
        for ax in axes:
            style.tidy(ax)
    _sums(last, labelled[0], printed[0], names)
    style.tidy(last)
    style.colour_bar(rows[1][-1], image, limit)
    _titles(rows)
    figure.savefig(path, dpi=180)
    return path


def _time(m: Map) -> np.ndarray:
    """Edges of the hours of the window, in days as matplotlib counts them."""
    return (m.hours - np.datetime64(0, "D")).astype(float) / 24


def _series(ax: Axes, m: Map) -> Axes:
    time = _time(m)
    ax.plot(time[:-1], m.volume[:-1], color=style.GREY, linewidth=0.8)
    mark = dict(linestyle="none", clip_on=False, zorder=4)
    ax.plot(
        time[-1], m.volume[-1], marker=".", color=style.INK, label="observed", **mark
    )
    hollow = dict(marker="D", markersize=5, color=style.RAISES, markerfacecolor="none")
    ax.plot(time[-1], m.forecast, label="forecast", **hollow, **mark)
    ax.axhline(m.start, color=style.INK, linewidth=0.7, linestyle=":", label="start")
    ax.set_ylim(bottom=0)
    above = dict(xy=(0.5, 1), xycoords="axes fraction", textcoords="offset points")
    centred = dict(ha="center", color=style.INK, **above)
    bold = dict(fontsize=style.LARGE, fontweight="bold")
    ax.annotate(m.name, xytext=(0, 28), **bold, **centred)
    target = f"{m.hours[-1].item():%a %d %B %Y, %H:00}"
    ax.annotate(target, xytext=(0, 18), fontsize=style.SMALL, **centred)
    _days(ax, m, labelled=False)
    return ax


def _map(ax: Axes, m: Map, names: Sequence[str], norm: SymLogNorm) -> AxesImage:
    time = _time(m)
    image = ax.imshow(
        m.by_hour.T,
        cmap=style.SIGNED,
        norm=norm,
        aspect="auto",
        interpolation="nearest",
        extent=(time[0], time[-1], len(names) - 0.5, -0.5),
    )
    ax.set_yticks(np.arange(len(names)), names)
    ax.set_yticks(np.arange(len(names) - 1) + 0.5, minor=True)
    ax.grid(which="minor", axis="y", color="#e3e3e3", linewidth=0.5)
    _days(ax, m, labelled=True)
    return image


def _past(ax: Axes, m: Map) -> Axes:
    time = _time(m)
    ax.plot(time[:-1], m.past, color=style.INK, linewidth=0.9)
    ax.axhline(0, color=style.GREY, linewidth=0.5)
    ax.axvspan(time[m.first], time[-1], color=style.RAISES, alpha=0.12, linewidth=0)
    kept = len(m.past) - m.first
    where = dict(transform=ax.transAxes, ha="left", va="top")
    text = f"the last {kept} hours matter"
    ax.text(0.03, 0.95, text, fontsize=style.SMALL, color=style.INK, **where)
    ax.yaxis.set_major_locator(MaxNLocator(3))
    _days(ax, m, labelled=True)
    return ax


def _sums(ax: Axes, labelled: Map, printed: Map, names: Sequence[str]) -> None:
    places = np.arange(len(names))
    kinds = (
        ("the week before", labelled, style.RAISES, -0.2),
        ("the week of the print", printed, style.GREY, 0.2),
    )
    for label, m, colour, shift in kinds:
        sums = m.by_hour.sum(axis=0)
        ax.barh(places + shift, sums, height=0.38, color=colour, label=label)
    ax.axvline(0, color=style.GREY, linewidth=0.5)
    ax.set_yticks(places, names)
    ax.tick_params(labelleft=False)  # those of the maps to its left
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.xaxis.set_major_formatter(FuncFormatter(style.signed_number))
    ax.set_xlabel(style.UNIT, fontsize=style.NORMAL, color=style.INK)
    title = f"{labelled.name}, sums"
    ax.set_title(title, loc="left", fontsize=style.SMALL, color=style.INK, pad=3)
    ax.legend(loc="lower right", fontsize=style.SMALL, frameon=False, handlelength=1)


def _days(ax: Axes, m: Map, *, labelled: bool) -> None:
    time = _time(m)
    ax.set_xlim(time[0], time[-1])
    # Ticks between the days, names under them.
    ax.xaxis.set_major_locator(DayLocator())
    ax.xaxis.set_major_formatter(NullFormatter())
    if labelled:
        name = lambda x, _: DAY_NAMES[num2date(x).weekday()]
        ax.xaxis.set_minor_locator(HourLocator(byhour=12))
        ax.xaxis.set_minor_formatter(FuncFormatter(name))
        ax.tick_params(axis="x", which="minor", length=0, labelsize=style.SMALL - 0.5)


def _share(axes: Sequence[Axes]) -> None:
    """One vertical axis for a row: its ticks are written on the left only."""
    limits = np.array([ax.get_ylim() for ax in axes])
    inverted = limits[0, 0] > limits[0, 1]
    low, high = limits.min(), limits.max()
    for i, ax in enumerate(axes):
        ax.set_ylim((high, low) if inverted else (low, high))
        ax.tick_params(labelleft=i == 0)


def _titles(rows: dict[int, list[Axes]]) -> None:
    titles = {
        0: "Traffic",
        1: "Integrated gradients from zero, by hour and column",
        2: "Worth of everything before an hour, against a mean week",
        4: "The windows of the printed maps: other weeks",
    }
    for letter, (row, title) in zip("abcd", titles.items(), strict=True):
        text = rf"$\bf{{{letter}}}$  {title}"
        font = dict(loc="left", fontsize=style.NORMAL, color=style.INK)
        rows[row][0].set_title(text, pad=12 if row == 4 else 4, **font)
    for row in (0, 2):
        label = dict(fontsize=style.NORMAL, color=style.INK)
        rows[row][0].set_ylabel(style.UNIT, **label)
    rows[0][-1].legend(
        loc="center left",
        bbox_to_anchor=(1.01, 0.5),
        fontsize=style.SMALL,
        frameon=False,
    )
