"""Small pictures of digits: real ones where there are any, else drawn by a rule."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

NUM_CLASSES = 10
SIZE = 8  # of a picture of scikit-learn, and of a drawn one
NUM_DRAWN = 1800
HELD_OUT = 3  # one picture of so many

SEGMENTS = (
    "abcdef",
    "bc",
    "abdeg",
    "abcdg",
    "bcfg",
    "acdfg",
    "acdefg",
    "abc",
    *("abcdefg", "abcdfg"),
)
STROKES = {  # rows and columns of a display of seven segments
    "a": (slice(0, 1), slice(0, 4)),
    "b": (slice(0, 4), slice(3, 4)),
    "c": (slice(3, 7), slice(3, 4)),
    "d": (slice(6, 7), slice(0, 4)),
    "e": (slice(3, 7), slice(0, 1)),
    "f": (slice(0, 4), slice(0, 1)),
    "g": (slice(3, 4), slice(0, 4)),
}


class Digits(NamedTuple):
    """Pictures of shape `(n, size, size)` from 0 to 1, and what they show."""

    images: np.ndarray
    labels: np.ndarray


def load(folder: Path | None, rng: np.random.Generator) -> tuple[str, Digits]:
    """MNIST where the folder holds it, or scikit-learn's digits, or drawn ones."""
    file = None if folder is None else Path(folder) / "mnist_subset.npz"
    if file is not None and file.exists():
        return "MNIST, halved to 14 x 14", mnist(file)
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        return "seven-segment digits, drawn", drawn(rng, NUM_DRAWN)
    found = load_digits()
    images = (found.images / 16).astype(np.float32)
    return "digits of scikit-learn", Digits(images, found.target.astype(np.int32))


def mnist(file: Path) -> Digits:
    """The first half of the subset, by means of four pixels."""
    with np.load(file) as arrays:
        images, labels = arrays["x_train"][:3000], arrays["y_train"][:3000]
    small = images.reshape(-1, 14, 2, 14, 2).mean((2, 4)) / 255
    return Digits(small.astype(np.float32), labels.astype(np.int32))


def drawn(rng: np.random.Generator, number: int) -> Digits:
    """Seven-segment digits at random places, of random strength, with noise."""
    labels = rng.integers(NUM_CLASSES, size=number).astype(np.int32)
    images = np.zeros((number, SIZE, SIZE), np.float32)
    for image, label in zip(images, labels, strict=True):
        top, left = rng.integers(2), rng.integers(5)
        glyph = image[top : top + 7, left : left + 4]
        for segment in SEGMENTS[label]:
            glyph[STROKES[segment]] = rng.uniform(0.4, 1.0)
    noisy = images + rng.normal(0, 0.15, images.shape).astype(np.float32)
    return Digits(np.clip(noisy, 0, 1), labels)


def split(digits: Digits, rng: np.random.Generator) -> tuple[Digits, Digits]:
    """Pictures to train on, and others."""
    order = rng.permutation(len(digits.labels))
    parts = order[len(order) // HELD_OUT :], order[: len(order) // HELD_OUT]
    train, held_out = (Digits(*(a[rows] for a in digits)) for rows in parts)
    return train, held_out
