"""An attribution by time and channel, below the series that it explains."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import ArrayLike

from . import _shared
from ._series import series as draw_series

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARGIN = 0.15  # of a row, above and below the line that is drawn in it


def cells(
    attribution: ArrayLike,
    *,
    values: ArrayLike | None = None,
    series: ArrayLike | None = None,
    time: ArrayLike | None = None,
    names: Sequence[str] | None = None,
    axes: "Sequence[Axes] | np.ndarray | None" = None,
    limit: float | None = None,
) -> "tuple[Axes, Axes]":
    """Above, the sum over channels along time; below, a map with a row per channel.

    Both share their time. With `values`, each channel is a line inside its row, so what
    the model saw lies on what was made of it.

    Args:
        attribution: Shape `(steps, channels)`. Spread values of cells with
            `groups.spread`.
        values: The input, shape `(steps, channels)`; each channel is stretched to the
            height of its row.
        series: What to draw above with the sums, shape `(steps,)`, against an axis of
            its own on the right.
        time: Position of each step, shape `(steps,)`, evenly spaced; their number by
            default.
        names: Name of each channel.
        axes: Two Axes to draw on, the upper one first; a new figure by default.
        limit: Value of the strongest colour; the largest magnitude by default.

    Returns:
        The two Axes.

    Raises:
        ValueError: If a shape is wrong, or a value is not finite.

    Example:
        >>> above, below = jx.plot.cells(np.eye(3), names=["rain", "snow", "wind"])
        >>> [label.get_text() for label in below.get_yticklabels()]
        ['rain', 'snow', 'wind']
    """
    phi = _shared.finite("attribution", attribution)
    if phi.ndim != 2:
        raise ValueError(
            "`attribution` must have shape (steps, channels), but has shape "
            f"{phi.shape}. Spread values of cells with `jaxplain.groups.spread`, and "
            "draw one value per step with `jaxplain.plot.series`."
        )
    lines = None if values is None else _shared.finite("values", values)
    if lines is not None and lines.shape != phi.shape:
        raise ValueError(
            f"`values` must have the shape of the attribution, {phi.shape}, but has "
            f"shape {lines.shape}. Pass the input that was explained."
        )
    if axes is None:
        import matplotlib.pyplot as plt

        heights = [1.2, 0.3 + 0.26 * phi.shape[1]]
        axes = plt.subplots(
            2,
            1,
            figsize=(6.4, 0.6 + sum(heights)),
            height_ratios=heights,
            sharex=True,
            layout="constrained",
        )[1]
    above, below = _shared.several("axes", axes, 2)
    draw_series(phi.sum(1), values=series, time=time, ax=above)
    above.set_ylabel("sum")
    draw_series(phi, time=time, names=names, ax=below, limit=limit)
    if lines is not None:
        _rows(below, lines, time)
    below.set_yticks(np.arange(1, phi.shape[1]), minor=True)
    below.grid(which="minor", axis="y", color="#e3e3e3", linewidth=0.6)
    below.tick_params(which="minor", length=0)
    return above, below


def _rows(ax: "Axes", lines: np.ndarray, time: ArrayLike | None) -> None:
    """Each channel as a line in its row of the map, which counts down."""
    steps = np.arange(len(lines)) if time is None else np.asarray(time)
    low, high = lines.min(0), lines.max(0)
    flat = high == low
    height = np.where(flat, 0.5, (lines - low) / np.where(flat, 1, high - low))
    for row, line in enumerate(height.T):
        place = row + 1 - MARGIN - (1 - 2 * MARGIN) * line
        ax.plot(steps, place, color="black", linewidth=0.7, alpha=0.8)
