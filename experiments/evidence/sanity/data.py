"""Digits, stretched to one size: those of scikit-learn, or MNIST if it is at hand."""

from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

SIZE = 16  # of a picture; the window of SSIM, 11 pixels, must fit
NUM_CLASSES = 10
MNIST_TRAIN = 3000


class Digits(NamedTuple):
    """Pictures from 0 to 1, and what they show."""

    images: np.ndarray  # (n, SIZE, SIZE), float32
    labels: np.ndarray  # (n,)


def load(file: Path | None) -> tuple[str, Digits]:
    """MNIST from a file, or scikit-learn's digits."""
    if file is not None:
        with np.load(file) as arrays:
            images, labels = arrays["x_train"], arrays["y_train"]
        images = images[:MNIST_TRAIN].reshape(-1, 28, 28) / 255
        return "MNIST", Digits(stretched(images), labels[:MNIST_TRAIN].astype(np.int32))
    from sklearn.datasets import load_digits

    found = load_digits()
    return "digits of scikit-learn", Digits(
        stretched(found.images / 16), found.target.astype(np.int32)
    )


def stretched(images: np.ndarray) -> np.ndarray:
    """Pictures of `SIZE`, linearly between the centres of pixels, or by their means."""
    shape = (len(images), SIZE, SIZE)
    return np.array(jax.image.resize(images.astype(np.float32), shape, "linear"))


def split(digits: Digits, rng: np.random.Generator) -> tuple[Digits, Digits]:
    """Three quarters to train on, and the rest."""
    order = rng.permutation(len(digits.labels))
    cut = 3 * len(order) // 4
    train, held_out = (Digits(*(a[r] for a in digits)) for r in np.split(order, [cut]))
    return train, held_out
