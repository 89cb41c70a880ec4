"""Colours, Axes and checks that the figures share."""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

# Orange for evidence against, blue for evidence in favour: a diverging pair that
# stays apart for every common form of colour blindness.
AGAINST, FAVOUR, GREY = "#c2570c", "#1d5fa8", "#8a8a8a"


def signed() -> "Colormap":
    """Orange, white at zero, blue."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("signed", [AGAINST, "white", FAVOUR])


def axes(ax: "Axes | None") -> "Axes":
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1]


def finite(name: str, values: Any) -> np.ndarray:
    array = np.asarray(values, np.float64)
    bad = int((~np.isfinite(array)).sum())
    if bad:
        raise ValueError(
            f"`{name}` must be finite, but {bad} of {array.size} values are not. Look "
            "for the inputs where `f` is not finite: a picture would hide them."
        )
    return array


def length(name: str, values: Any, expected: int) -> None:
    if np.shape(values) != (expected,):
        raise ValueError(
            f"`{name}` must have shape ({expected},), but has shape {np.shape(values)}."
        )


def grey(image: Any) -> np.ndarray:
    pixels = finite("image", image)
    return _stretched(pixels.mean(-1) if pixels.ndim == 3 else pixels, image)


def colour(image: Any) -> np.ndarray:
    """Red, green and blue; grey where there are not three channels."""
    pixels = finite("image", image)
    if pixels.ndim == 3 and pixels.shape[-1] == 3:
        return _stretched(pixels, image)
    return np.repeat(grey(image)[..., None], 3, axis=-1)


def _stretched(pixels: np.ndarray, image: Any) -> np.ndarray:
    if pixels.ndim not in (2, 3) or np.ndim(image) not in (2, 3) or 0 in pixels.shape:
        raise ValueError(
            "`image` must have shape (height, width) or (height, width, channels), but "
            f"has shape {np.shape(image)}."
        )
    low, high = pixels.min(), pixels.max()
    return (pixels - low) / (high - low if high > low else 1.0)


def stretch(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    from ..cam import upsample

    return values if values.shape == shape else np.asarray(upsample(values, shape))


def several(name: str, given: Any, number: int) -> "list[Axes]":
    """As many Axes as there are panels."""
    found = list(np.ravel(np.asarray(given, object)))
    if len(found) != number:
        raise ValueError(
            f"`{name}` must hold {number} Axes, but holds {len(found)}. Make them with "
            f"`matplotlib.pyplot.subplots`, or leave `{name}` out."
        )
    return found


def region_labels(labels: np.ndarray, shape: tuple[int, ...]) -> None:
    if labels.shape != shape:
        raise ValueError(
            f"`segments` must hold one label per pixel, shape {shape}, but has shape "
            f"{labels.shape}. Pass the labels that the weights belong to."
        )
