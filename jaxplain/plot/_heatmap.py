"""A signed map, alone or over an image."""

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import ArrayLike

from . import _shared

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
    grid = _shared.finite("values", values)
    grid = grid.sum(-1) if grid.ndim == 3 else grid
    if grid.ndim != 2:
        raise ValueError(
            "`values` must have shape (height, width) or (height, width, channels), "
            f"but has shape {np.shape(values)}. Draw one example at a time, and a "
            "series with `jaxplain.plot.series`."
        )
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, Normalize

    ax = _shared.axes(ax)
    strongest = limit if limit is not None else float(np.abs(grid).max(initial=0.0))
    strongest = strongest or 1.0
    if image is not None:
        below = _shared.grey(image)
        ax.imshow(below, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        grid = _shared.stretch(grid, below.shape)
    colours = signed = _shared.signed()
    if image is not None:  # opacity carries the strength, so the colours need no white
        colours = ListedColormap([_shared.AGAINST, _shared.FAVOUR])
    ax.imshow(
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
        scale = ScalarMappable(Normalize(-strongest, strongest), signed)
        bar = ax.figure.colorbar(scale, ax=ax, fraction=0.046, pad=0.04)
        bar.outline.set_visible(False)
    return ax
