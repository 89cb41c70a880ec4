"""One photograph that is no mosaic: windows of a portrait that was never trained on."""

from typing import NamedTuple

import numpy as np

from experiments.pictures.data import (
    CONTRAST,
    GREY,
    SIZE,
    photograph,
    shrink,
    standardise,
)

FACTOR = 3  # the face is then about as large as those of the training set
TOPS, LEFTS = (0, 24, 48, 72), (84, 129, 174)  # of the windows, in the original
# Hairline to chin and ear to ear, by eye, in pixels of the original.
FACE_ROWS, FACE_COLUMNS = (78, 189), (177, 273)


class Windows(NamedTuple):
    """Views of the same photograph, and where the face is in each."""

    images: np.ndarray  # (n, SIZE, SIZE)
    regions: np.ndarray  # (n, SIZE, SIZE), bool


def windows() -> Windows:
    """Twelve overlapping windows that hold the whole face, at different places."""
    portrait = photograph("astronaut.png")
    inside = np.zeros(portrait.shape, bool)
    inside[slice(*FACE_ROWS), slice(*FACE_COLUMNS)] = True
    images, regions = [], []
    for top in TOPS:
        for left in LEFTS:
            rows = slice(top, top + SIZE * FACTOR)
            columns = slice(left, left + SIZE * FACTOR)
            window = shrink(portrait[rows, columns], FACTOR)
            images.append(standardise(window, GREY, CONTRAST))
            regions.append(inside[rows, columns][1::FACTOR, 1::FACTOR])
    return Windows(np.stack(images).astype(np.float32), np.stack(regions))
