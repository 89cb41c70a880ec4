"""Noisy digits above a strip with a mark: its place says the class, or lies."""

from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from experiments.compression import data as digits

Mark = Literal["right", "absent", "wrong", "random"]
Task = digits.Digits

MARKS: tuple[Mark, ...] = ("right", "absent", "wrong")
BORDER = 2  # pixels around a digit, of which those below hold the mark
NOISE = 0.4  # standard deviation: the digit alone is hard to read


class Source(NamedTuple):
    """Digits without noise or mark, to train on and held out."""

    name: str
    train: Task
    held_out: Task


def source(folder: Path | None, seed: int) -> Source:
    """Split anew for every seed."""
    rng = np.random.default_rng(seed)
    name, found = digits.load(folder, rng)
    return Source(name, *digits.split(found, rng))


def size(source: Source) -> int:
    """The side of a picture."""
    return source.train.images.shape[1] + 2 * BORDER


def strip(side: int) -> np.ndarray:
    """Where a mark can be: nothing that says the class is there without one."""
    mask = np.zeros((side, side), np.float32)
    mask[-BORDER:] = 1
    return mask


def pictures(task: Task, mark: Mark, rng: np.random.Generator) -> np.ndarray:
    """Digits; the column of the mark is its class, another, or any."""
    number, classes = len(task.labels), digits.NUM_CLASSES
    border = (BORDER, BORDER)
    images = np.pad(task.images, ((0, 0), border, border))
    if mark != "absent":
        move = {
            "right": np.zeros(number, int),
            "wrong": rng.integers(1, classes, number),
            "random": rng.integers(0, classes, number),
        }[mark]
        columns = 1 + (task.labels + move) % classes
        images[np.arange(number), -BORDER:, columns] = 1
    return images.astype(np.float32)


def noisy(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Anew at every step of training, so that no noise is learned by heart."""
    noise = rng.normal(0, NOISE, images.shape)
    return (images + noise).astype(np.float32)
