"""Tetrominoes in noise: where the class is written is known for every picture.

The recipe is that of Clark, Wilming and Haufe (2023), arXiv:2306.12816, for pictures of
8 x 8 pixels. A pattern and a background, each divided by its norm over the whole set,
are added, or in one task multiplied, and all is divided by the largest magnitude.
"""

from typing import Literal, NamedTuple, get_args

import numpy as np
from scipy.ndimage import gaussian_filter

Scenario = Literal["linear", "multiplicative", "rigid", "xor"]
Background = Literal["white", "correlated"]
Signal = Literal["weak", "strong"]

SIZE = 8
NOISE, SMOOTHING = 0.5, 3.0  # standard deviations of the noise, and of its blur
T = np.array([[1, 0], [1, 1], [1, 0]])
L = np.array([[1, 0], [1, 0], [1, 1]])
T_PLACE, L_PLACE = (1, 1), (4, 5)

# Weight of the pattern, as in the code of the paper: one for each kind of noise.
WEIGHTS: dict[Scenario, tuple[float, float]] = {
    "linear": (0.18, 0.0125),
    "multiplicative": (0.7, 0.1),
    "rigid": (0.65, 0.2),
    "xor": (0.35, 0.15),
}


class Setting(NamedTuple):
    """One of the sixteen problems."""

    scenario: Scenario
    background: Background
    signal: Signal

    def __str__(self) -> str:
        return f"{self.scenario}, {self.background}, {self.signal}"


class Pictures(NamedTuple):
    """Pictures, their classes, and the pixels that the class is written in."""

    images: np.ndarray  # (n, SIZE, SIZE), float32 within [-1, 1]
    labels: np.ndarray  # (n,), 0 for T and 1 for L; in "xor", whether the signs differ
    masks: np.ndarray  # (n, SIZE, SIZE), bool


SETTINGS = [
    Setting(scenario, background, signal)
    for scenario in get_args(Scenario)
    for background in get_args(Background)
    for signal in get_args(Signal)
]


def weight(setting: Setting) -> float:
    """The weight of the pattern; the strong signal has twice the amplitude.

    Of two that are added, the ratio to the noise is doubled; of one that damps the
    noise, the logarithm of what it leaves.
    """
    alpha = WEIGHTS[setting.scenario][setting.background == "correlated"]
    if setting.signal == "weak":
        return alpha
    if setting.scenario == "multiplicative":
        return 1 - (1 - alpha) ** 2
    return 2 * alpha / (1 + alpha)


def draw(rng: np.random.Generator, setting: Setting, number: int) -> Pictures:
    """As many pictures, half of each class, in random order."""
    labels = np.arange(number) % 2
    pattern = patterns(rng, setting.scenario, labels)
    noise = backgrounds(rng, setting.background, number)
    alpha = weight(setting)
    if setting.scenario == "multiplicative":
        images = unit(1 - alpha * pattern) * unit(noise)
    else:
        images = alpha * unit(pattern) + (1 - alpha) * unit(noise)
    images = (images / np.abs(images).max()).astype(np.float32)
    order = rng.permutation(number)
    masks = truth(setting.scenario, pattern)
    return Pictures(images[order], labels[order], masks[order])


def patterns(
    rng: np.random.Generator, scenario: Scenario, labels: np.ndarray
) -> np.ndarray:
    """The noiseless patterns, `(n, SIZE, SIZE)`."""
    upper, lower = laid(T, T_PLACE), laid(L, L_PLACE)
    if scenario == "rigid":
        return np.stack([anywhere(rng, L if label else T) for label in labels])
    if scenario == "xor":
        first = rng.choice([-1.0, 1.0], len(labels))[:, None, None]
        second = np.where(labels[:, None, None], -first, first)
        return first * upper + second * lower
    return np.where(labels[:, None, None], lower, upper)


def laid(shape: np.ndarray, place: tuple[int, int]) -> np.ndarray:
    """A tetromino with its upper left corner at a place."""
    canvas = np.zeros((SIZE, SIZE))
    rows, columns = (slice(i, i + n) for i, n in zip(place, shape.shape, strict=True))
    canvas[rows, columns] = shape
    return canvas


def anywhere(rng: np.random.Generator, shape: np.ndarray) -> np.ndarray:
    """A tetromino turned by a random number of quarters, at a random place."""
    turned = np.rot90(shape, rng.integers(4))
    top, left = (int(rng.integers(SIZE - n + 1)) for n in turned.shape)
    return laid(turned, (top, left))


def backgrounds(
    rng: np.random.Generator, background: Background, number: int
) -> np.ndarray:
    """White noise, or the same noise blurred."""
    noise = NOISE * rng.standard_normal((number, SIZE, SIZE))
    if background == "white":
        return noise
    return gaussian_filter(noise, (0, SMOOTHING, SMOOTHING))


def truth(scenario: Scenario, pattern: np.ndarray) -> np.ndarray:
    """Where the class is written: both places, if they are fixed.

    That there is no T where a T would be tells as much as the L elsewhere.
    """
    if scenario == "rigid":
        return pattern != 0
    both = laid(T, T_PLACE) + laid(L, L_PLACE)
    return np.broadcast_to(both != 0, pattern.shape)


def unit(arrays: np.ndarray) -> np.ndarray:
    """The whole set divided by its norm."""
    return arrays / np.linalg.norm(arrays)
