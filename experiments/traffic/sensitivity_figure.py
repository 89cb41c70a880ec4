"""One column per way of asking: elementary effects, and shares of the variance."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from experiments.traffic import figure as style
from experiments.traffic.sensitivity import INTERVAL, Sensitivity

LINEAR_BELOW = 10.0  # vehicles/hour: linear below, logarithmic above
# Where a name may stand beside its point, in points, the best place first.
PLACES = ((5, -2.5), (-5, -2.5), (0, 5), (0, -10), (5, 5), (-5, 5), (5, -10), (-5, -10))


def draw(
    found: Mapping[str, Sensitivity],
    names: Sequence[str],
    path: Path,
    unused: Sequence[str] = (),
) -> Path:
    """Write the figure as a PNG.

    Args:
        found: What each way of asking found, by its title.
        names: Of the groups of factors.
        path: Where to write.
        unused: Names that are known to have no effect; written in grey.
    """
    height = 2.3 + 0.24 * len(names)
    figure = Figure(figsize=(7.2, 1.15 * height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.04, h_pad=0.04, hspace=0.04, wspace=0.04)
    axes = figure.subplots(2, len(found), sharey="row", squeeze=False)
    colours = colormaps["tab10"](np.arange(len(names)))
    limit = max(np.nanmax([s.mu_star, s.sigma]) for s in found.values())
    for column, (title, sensitivity) in zip(axes.T, found.items(), strict=True):
        _effects(column[0], sensitivity, colours, limit)
        _shares(column[1], sensitivity, names, colours)
        column[0].annotate(
            title,
            xy=(0.5, 1),
            xytext=(0, 18),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="center",
            fontsize=style.LARGE - 0.5,
            fontweight="bold",
            color=style.INK,
        )
    font = dict(loc="left", fontsize=style.NORMAL, color=style.INK, pad=4)
    axes[0, 0].set_title(r"$\bf{a}$  Elementary effects, vehicles / hour", **font)
    axes[1, 0].set_title(r"$\bf{b}$  Sobol indices, 95 % intervals", **font)
    axes[0, 0].set_ylabel(r"spread $\sigma$", fontsize=style.NORMAL, color=style.INK)
    for ax in axes.flat:
        style.tidy(ax, unused)
    _legend(axes[1, -1])
    figure.draw_without_rendering()  # where things are is known only then
    for ax, sensitivity in zip(axes[0], found.values(), strict=True):
        _name(ax, sensitivity, names, colours)
    figure.set_layout_engine("none")
    figure.savefig(path, dpi=200)
    return path


def _effects(ax: Axes, found: Sensitivity, colours: np.ndarray, limit: float) -> None:
    ax.set_xscale("symlog", linthresh=LINEAR_BELOW, linscale=0.5)
    ax.set_yscale("symlog", linthresh=LINEAR_BELOW, linscale=0.5)
    ends = [0, LINEAR_BELOW, limit]
    ax.plot(ends, ends, color=style.GREY, linewidth=0.6, linestyle=":")
    errors = dict(fmt="none", elinewidth=0.8, zorder=2)
    x, y = found.mu_star, _height(found)
    ax.errorbar(x, y, xerr=1.96 * found.mu_star_error, ecolor=colours, **errors)
    fill = np.where(np.isnan(found.sigma)[:, None], np.ones(4), colours)
    ax.scatter(x, y, s=18, c=fill, edgecolors=colours, linewidths=1, zorder=3)
    ax.set_xlim(-4, 3 * limit)
    ax.set_ylim(-7, 2 * limit)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_ticks([0, 10, 100, 1000], ["0", "10", "100", "1000"])
        axis.set_minor_locator(NullLocator())
    label = r"mean absolute effect $\mu^*$"
    ax.set_xlabel(label, fontsize=style.NORMAL, color=style.INK)


def _height(found: Sensitivity) -> np.ndarray:
    """The spread; below 0 for a group of several factors, which has none."""
    return np.where(np.isnan(found.sigma), -4, found.sigma)


def _name(
    ax: Axes, found: Sensitivity, names: Sequence[str], colours: np.ndarray
) -> None:
    """Write each name beside its point, where no other point or name is."""
    where = np.stack([found.mu_star, _height(found)], 1)
    points = ax.transData.transform(where) * 72 / ax.figure.dpi
    taken = [np.array([*(p - 3), *(p + 3)]) for p in points]
    # Points at the same place share one name.
    at: dict[tuple, list[int]] = {}
    for i, point in enumerate(points):
        at.setdefault(tuple(point.round()), []).append(i)
    for point, together in at.items():
        text = ", ".join(names[i] for i in together)
        size = np.array([0.53 * len(text), 1.0]) * style.SMALL

        def box(place: tuple[float, float], point=point, size=size) -> np.ndarray:
            x = {5: 0.0, 0: -size[0] / 2, -5: -size[0]}[place[0]]
            corner = np.array(point) + place + np.array([x, 0])
            return np.array([*corner, *(corner + size)])

        crowded = lambda place, box=box: sum(_overlap(box(place), b) for b in taken)
        place = min(PLACES, key=crowded)
        taken.append(box(place))
        ax.annotate(
            text,
            xy=where[together[0]],
            xytext=place,
            textcoords="offset points",
            ha={5: "left", 0: "center", -5: "right"}[place[0]],
            fontsize=style.SMALL,
            color=style.INK if len(together) > 1 else 0.75 * colours[together[0], :3],
        )


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    """The area that two boxes share."""
    sides = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    return float(np.prod(np.maximum(sides, 0)))


def _shares(
    ax: Axes, found: Sensitivity, names: Sequence[str], colours: np.ndarray
) -> None:
    places = np.arange(len(names))
    bars = dict(height=0.36, color=colours)
    line = dict(fmt="none", ecolor=style.INK, elinewidth=0.7, capsize=1.5)
    kinds = (
        (-0.19, found.first, found.first_error, 1.0),
        (0.19, found.total, found.total_error, 0.4),
    )
    for shift, share, error, alpha in kinds:
        ax.barh(places + shift, share, alpha=alpha, **bars)
        ax.errorbar(share, places + shift, xerr=INTERVAL * error, **line)
    ax.axvline(0, color=style.GREY, linewidth=0.5)
    ax.set_yticks(places, names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_xlim(-0.08, 1.04)
    ax.set_xlabel("share of the variance", fontsize=style.NORMAL, color=style.INK)


def _legend(ax: Axes) -> None:
    for label, alpha in (("alone", 1.0), ("with all its interactions", 0.4)):
        ax.barh(0, 0, color=style.INK, alpha=alpha, label=label)
    font = dict(fontsize=style.SMALL, labelcolor=style.INK)
    ax.legend(loc="lower right", frameon=False, **font)
