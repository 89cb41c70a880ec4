"""An attribution along time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import ArrayLike

from . import _shared

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def series(
    attribution: ArrayLike,
    *,
    values: ArrayLike | None = None,
    time: ArrayLike | None = None,
    names: Sequence[str] | None = None,
    ax: "Axes | None" = None,
    limit: float | None = None,
    colorbar: bool = True,
) -> "Axes":
    """An attribution along a series.

    One attribution per step is drawn as bars, with the series as a line against an
    axis of its own on the right. An attribution per step and feature is drawn as a map
    with one row per feature; its numbers are on the scale beside it.

    Args:
        attribution: Shape `(steps,)` or `(steps, features)`.
        values: Series of shape `(steps,)` to draw with the bars.
        time: Position of each step, shape `(steps,)`, evenly spaced; their number by
            default.
        names: Name of each feature.
        ax: Axes to draw on; a new figure by default.
        limit: Value of the strongest colour of a map; the largest magnitude by default.
        colorbar: Draw the scale of a map beside it.

    Returns:
        The Axes.

    Raises:
        ValueError: If a shape is wrong, or a value is not finite.

    Example:
        >>> jx.plot.series([0.5, -1.0, 2.0], time=[-2, -1, 0]).get_ylabel()
        'attribution'
    """
    phi = _shared.finite("attribution", attribution)
    if phi.ndim not in (1, 2):
        raise ValueError(
            "`attribution` must have shape (steps,) or (steps, features), but has "
            f"shape {phi.shape}. Draw one example at a time."
        )
    steps = np.arange(len(phi)) if time is None else np.asarray(time)
    _shared.length("time", steps, len(phi))
    ax = _shared.axes(ax)
    step = float(steps[1] - steps[0]) if len(steps) > 1 else 1.0
    if phi.ndim == 1:
        colours = np.where(phi >= 0, _shared.FAVOUR, _shared.AGAINST)
        ax.bar(steps, phi, width=step, color=colours, linewidth=0)
        ax.axhline(0, color=_shared.GREY, linewidth=0.5)
        ax.set_ylabel("attribution")
        if values is not None:
            line = _shared.finite("values", values)
            _shared.length("values", line, len(phi))
            twin = ax.twinx()
            twin.plot(steps, line, color="black", linewidth=1)
            twin.spines["top"].set_visible(False)
    else:
        if names is not None:
            _shared.length("names", names, phi.shape[1])
        limit = limit or float(np.abs(phi).max(initial=0.0)) or 1.0
        drawn = ax.pcolormesh(
            np.append(steps - step / 2, steps[-1] + step / 2),
            np.arange(phi.shape[1] + 1),
            phi.T,
            cmap=_shared.signed(),
            vmin=-limit,
            vmax=limit,
        )
        ax.set_yticks(
            np.arange(phi.shape[1]) + 0.5, list(names or map(str, range(phi.shape[1])))
        )
        ax.tick_params(axis="y", length=0)
        ax.invert_yaxis()
        if colorbar:
            ax.figure.colorbar(drawn, ax=ax, label="attribution", pad=0.02)
    ax.spines[["top", "right"]].set_visible(False)
    ax.margins(x=0)
    return ax
