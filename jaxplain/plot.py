"""Figures of explanations: each draws on an Axes and returns it.

Nothing is shown, and no global setting of matplotlib is read or changed beyond what
`matplotlib.pyplot.subplots` does when no Axes is passed.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import ArrayLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Orange for evidence against, blue for evidence in favour: a diverging pair that
# stays apart for every common form of colour blindness.
AGAINST, FAVOUR, GREY = "#c2570c", "#1d5fa8", "#8a8a8a"


def heatmap(
    values: ArrayLike,
    *,
    image: ArrayLike | None = None,
    ax: "Axes | None" = None,
    limit: float | None = None,
    alpha: float = 0.75,
    colorbar: bool = False,
) -> "Axes":
    """A signed map, over the image that it explains.

    Zero is transparent, or white without an image; blue is evidence in favour and
    orange evidence against. A map smaller than the image is stretched as by
    `cam.upsample`.

    Args:
        values: Map of shape `(height, width)`, or `(height, width, channels)`, of
            which the sum over channels is drawn.
        image: Image of shape `(height, width)` or `(height, width, channels)`, drawn in
            grey below. Its values are stretched to its own range.
        ax: Axes to draw on; a new figure by default.
        limit: Value of the strongest colour; the largest magnitude by default.
        alpha: Opacity of the strongest colour over the image, from 0 to 1.
        colorbar: Draw the scale of the values beside the map.

    Returns:
        The Axes.

    Raises:
        ValueError: If `values` has another rank, or holds values that are not finite.

    Example:
        >>> heatmap(np.eye(4), image=np.ones((8, 8, 3))).get_title()
        ''
    """
    grid = _finite("values", values)
    grid = grid.sum(-1) if grid.ndim == 3 else grid
    if grid.ndim != 2:
        raise ValueError(
            "`values` must have shape (height, width) or (height, width, channels), "
            f"but has shape {np.shape(values)}. Draw one example at a time, and a "
            "series with `jaxplain.plot.series`."
        )
    from matplotlib.colors import LinearSegmentedColormap

    ax = _axes(ax)
    strongest = limit if limit is not None else float(np.abs(grid).max(initial=0.0))
    strongest = strongest or 1.0
    if image is not None:
        below = _grey(image)
        ax.imshow(below, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        grid = _stretch(grid, below.shape)
    colours = LinearSegmentedColormap.from_list("signed", [AGAINST, "white", FAVOUR])
    if image is not None:  # opacity carries the strength, so the colours need no white
        colours = LinearSegmentedColormap.from_list("signed", [AGAINST, FAVOUR], N=2)
    drawn = ax.imshow(
        grid,
        cmap=colours,
        vmin=-strongest,
        vmax=strongest,
        alpha=None
        if image is None
        else alpha * np.clip(np.abs(grid) / strongest, 0, 1),
        interpolation="nearest",
    )
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    if colorbar:
        ax.figure.colorbar(drawn, ax=ax, fraction=0.046, pad=0.04)
    return ax


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
        >>> series([0.5, -1.0, 2.0], time=[-2, -1, 0]).get_ylabel()
        'attribution'
    """
    phi = _finite("attribution", attribution)
    if phi.ndim not in (1, 2):
        raise ValueError(
            "`attribution` must have shape (steps,) or (steps, features), but has "
            f"shape {phi.shape}. Draw one example at a time."
        )
    steps = np.arange(len(phi)) if time is None else np.asarray(time)
    _length("time", steps, len(phi))
    ax = _axes(ax)
    step = float(steps[1] - steps[0]) if len(steps) > 1 else 1.0
    if phi.ndim == 1:
        colours = np.where(phi >= 0, FAVOUR, AGAINST)
        ax.bar(steps, phi, width=step, color=colours, linewidth=0)
        ax.axhline(0, color=GREY, linewidth=0.5)
        ax.set_ylabel("attribution")
        if values is not None:
            line = _finite("values", values)
            _length("values", line, len(phi))
            twin = ax.twinx()
            twin.plot(steps, line, color="black", linewidth=1)
            twin.spines["top"].set_visible(False)
    else:
        if names is not None:
            _length("names", names, phi.shape[1])
        from matplotlib.colors import LinearSegmentedColormap

        colours = LinearSegmentedColormap.from_list(
            "signed", [AGAINST, "white", FAVOUR]
        )
        limit = limit or float(np.abs(phi).max(initial=0.0)) or 1.0
        drawn = ax.pcolormesh(
            np.append(steps - step / 2, steps[-1] + step / 2),
            np.arange(phi.shape[1] + 1),
            phi.T,
            cmap=colours,
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


def bars(
    weights: ArrayLike,
    names: Sequence[str] | None = None,
    *,
    errors: ArrayLike | None = None,
    most: int | None = None,
    sort: bool = True,
    ax: "Axes | None" = None,
) -> "Axes":
    """Weights as horizontal bars, the strongest on top.

    Args:
        weights: Weight of each feature, shape `(features,)`.
        names: Name of each feature; its number by default.
        errors: Standard error of each weight, shape `(features,)`; drawn as plus or
            minus two of them.
        most: Number of features to draw; all of them by default.
        sort: Put the strongest on top; otherwise keep their order.
        ax: Axes to draw on; a new figure by default.

    Returns:
        The Axes.

    Raises:
        ValueError: If a shape is wrong, or a value is not finite.

    Example:
        >>> ax = bars([0.5, -2.0], ["rain", "holiday"])
        >>> [label.get_text() for label in ax.get_yticklabels()]
        ['holiday', 'rain']
    """
    w = _finite("weights", weights)
    if w.ndim != 1:
        raise ValueError(
            f"`weights` must have shape (features,), but has shape {w.shape}. "
            "Draw one example at a time."
        )
    labels = [str(i) for i in range(len(w))] if names is None else list(names)
    _length("names", labels, len(w))
    order = np.argsort(-np.abs(w), kind="stable") if sort else np.arange(len(w))
    order = order[:most]
    ax = _axes(ax)
    error = None
    if errors is not None:
        spread = _finite("errors", errors)
        _length("errors", spread, len(w))
        error = 2 * spread[order]
    ax.barh(
        np.arange(len(order)),
        w[order],
        xerr=error,
        color=np.where(w[order] >= 0, FAVOUR, AGAINST),
        error_kw={"elinewidth": 1, "ecolor": "black"},
    )
    ax.set_yticks(np.arange(len(order)), [labels[i] for i in order])
    ax.axvline(0, color=GREY, linewidth=0.5)
    ax.invert_yaxis()
    ax.tick_params(axis="y", length=0)
    ax.spines[["top", "right", "left"]].set_visible(False)
    return ax


def _axes(ax: "Axes | None") -> "Axes":
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1]


def _finite(name: str, values: Any) -> np.ndarray:
    array = np.asarray(values, np.float64)
    bad = int((~np.isfinite(array)).sum())
    if bad:
        raise ValueError(
            f"`{name}` must be finite, but {bad} of {array.size} values are not. Look "
            "for the inputs where `f` is not finite: a picture would hide them."
        )
    return array


def _length(name: str, values: Any, expected: int) -> None:
    if np.shape(values) != (expected,):
        raise ValueError(
            f"`{name}` must have shape ({expected},), but has shape {np.shape(values)}."
        )


def _grey(image: Any) -> np.ndarray:
    pixels = _finite("image", image)
    pixels = pixels.mean(-1) if pixels.ndim == 3 else pixels
    if pixels.ndim != 2:
        raise ValueError(
            "`image` must have shape (height, width) or (height, width, channels), but "
            f"has shape {np.shape(image)}."
        )
    low, high = pixels.min(), pixels.max()
    return (pixels - low) / (high - low if high > low else 1.0)


def _stretch(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    from .cam import upsample

    return values if values.shape == shape else np.asarray(upsample(values, shape))
