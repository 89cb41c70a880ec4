"""Weights as bars."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import ArrayLike

from . import _shared

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
    w = _shared.finite("weights", weights)
    if w.ndim != 1:
        raise ValueError(
            f"`weights` must have shape (features,), but has shape {w.shape}. "
            "Draw one example at a time."
        )
    labels = [str(i) for i in range(len(w))] if names is None else list(names)
    _shared.length("names", labels, len(w))
    order = np.argsort(-np.abs(w), kind="stable") if sort else np.arange(len(w))
    order = order[:most]
    ax = _shared.axes(ax)
    error = None
    if errors is not None:
        spread = _shared.finite("errors", errors)
        _shared.length("errors", spread, len(w))
        error = 2 * spread[order]
    ax.barh(
        np.arange(len(order)),
        w[order],
        xerr=error,
        color=np.where(w[order] >= 0, _shared.FAVOUR, _shared.AGAINST),
        error_kw={"elinewidth": 1, "ecolor": "black"},
    )
    ax.set_yticks(np.arange(len(order)), [labels[i] for i in order])
    ax.axvline(0, color=_shared.GREY, linewidth=0.5)
    ax.invert_yaxis()
    ax.tick_params(axis="y", length=0)
    ax.spines[["top", "right", "left"]].set_visible(False)
    return ax
