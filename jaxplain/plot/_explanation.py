"""A picture, its regions, the strongest of them, and the weights of all."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import ArrayLike

from .. import _checks, groups
from . import _shared
from ._heatmap import heatmap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PALE = 0.2  # how much of its contrast is left of what is greyed


def explanation(
    image: ArrayLike,
    segments: ArrayLike,
    weights: ArrayLike,
    *,
    most: int = 5,
    limit: float | None = None,
    axes: "Sequence[Axes] | np.ndarray | None" = None,
) -> "tuple[Axes, Axes, Axes, Axes]":
    """Four panels: the picture, its regions, those most in favour, and a heat map.

    Args:
        image: Picture of shape `(height, width)` or `(height, width, channels)`. Its
            values are stretched to its own range; other than three channels are drawn
            in grey.
        segments: Label of each pixel, shape `(height, width)`.
        weights: Weight of each region, shape `(num_groups,)`.
        most: Number of regions to show in the third panel, at most. Only those with a
            positive weight are shown; the rest is greyed.
        limit: Weight of the strongest colour; the largest magnitude by default.
        axes: Four Axes to draw on; a new figure by default.

    Returns:
        The four Axes.

    Raises:
        ValueError: If a shape is wrong, a label is out of range, a value is not
            finite, or `most` is below 1.

    Example:
        >>> segments, n = jx.groups.patches((8, 8), size=4)
        >>> drawn = explanation(np.eye(8), segments, [0.5, -1.0, 0.0, 2.0])
        >>> [ax.get_title() for ax in drawn]
        ['picture', '4 regions', 'most in favour', 'weights']
    """
    pixels = _shared.colour(image)
    labels, w = np.asarray(segments), _shared.finite("weights", weights)
    _shared.region_labels(labels, pixels.shape[:2])
    _checks.count("most", most)
    values = np.asarray(groups.spread(w, labels))
    if axes is None:
        import matplotlib.pyplot as plt

        height = 2.4 * pixels.shape[0] / pixels.shape[1] + 0.35
        axes = plt.subplots(1, 4, figsize=(10.4, height), layout="constrained")[1]
    picture, regions, top, weighed = _shared.several("axes", axes, 4)
    strongest = np.argsort(-w, kind="stable")[:most]
    shown = np.isin(labels, strongest[w[strongest] > 0])
    _draw(picture, pixels, "picture")
    _draw(regions, pixels, f"{len(np.unique(labels))} regions")
    _edges(regions, labels, "white", 0.8)
    grey = pixels.mean(-1, keepdims=True)
    pale = 1 - PALE * (1 - grey)
    _draw(top, np.where(shown[..., None], pixels, pale), "most in favour")
    _edges(top, shown, _shared.FAVOUR, 1.2)
    heatmap(values, image=pixels, ax=weighed, limit=limit, colorbar=True)
    weighed.set_title("weights")
    return picture, regions, top, weighed


def _draw(ax: "Axes", pixels: np.ndarray, title: str) -> None:
    ax.imshow(pixels, interpolation="nearest")
    ax.set(xticks=[], yticks=[], title=title)
    ax.spines[:].set_visible(False)


def _edges(ax: "Axes", labels: np.ndarray, colour: str, width: float) -> None:
    """Lines between neighbouring pixels whose labels differ."""
    from matplotlib.collections import LineCollection
    from matplotlib.patheffects import Normal, Stroke

    below = np.argwhere(labels[1:] != labels[:-1])
    beside = np.argwhere(labels[:, 1:] != labels[:, :-1])
    lines = [((x - 0.5, y + 0.5), (x + 0.5, y + 0.5)) for y, x in below]
    lines += [((x + 0.5, y - 0.5), (x + 0.5, y + 0.5)) for y, x in beside]
    under = Stroke(linewidth=2 * width, foreground=(0, 0, 0, 0.55))
    drawn = LineCollection(lines, colors=colour, linewidths=width, capstyle="round")
    drawn.set_path_effects([under, Normal()])
    ax.add_collection(drawn, autolim=False)
