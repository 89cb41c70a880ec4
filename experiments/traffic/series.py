"""An hourly table and the windows a forecaster reads from it."""

import itertools
from typing import NamedTuple

import numpy as np

WINDOW = 168  # hours: one week, so that every hour of the week is in every window


class Table(NamedTuple):
    """Hourly rows: `inputs` of shape (rows, columns), and what is to be forecast."""

    time: np.ndarray
    columns: tuple[str, ...]
    inputs: np.ndarray
    volume: np.ndarray

    def __len__(self) -> int:
        return len(self.time)


class Split(NamedTuple):
    """Target rows of the three consecutive periods; no window crosses a border."""

    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray


def windows(
    inputs: np.ndarray, targets: np.ndarray, length: int = WINDOW
) -> np.ndarray:
    """The `length` rows just before each target row: (targets, length, columns).

    The target's own row is not part of its window: at the time of the forecast its
    weather is not known yet.
    """
    targets = np.asarray(targets)
    if targets.min() < length or targets.max() >= len(inputs):
        raise ValueError(
            f"Target rows must lie in [{length}, {len(inputs)}) to have a window of "
            f"{length} hours before them, but got rows from {targets.min()} to "
            f"{targets.max()}. Drop the first {length} rows of the period."
        )
    return inputs[targets[:, None] + np.arange(-length, 0)]


def split(num_rows: int, held_out: int = 2184, length: int = WINDOW) -> Split:
    """Train on the first rows; validate, then test, on `held_out` rows each.

    Whole periods, in order: windows of neighbouring hours share 167 of their 168
    rows, so a random split would test on what was trained on.
    """
    if num_rows < 2 * held_out + 2 * length:
        raise ValueError(
            f"The table must have at least {2 * held_out + 2 * length} rows to leave "
            f"two periods of {held_out} out, but got {num_rows}. Pass a longer series, "
            "or a smaller `held_out`."
        )
    borders = [0, num_rows - 2 * held_out, num_rows - held_out, num_rows]
    return Split(*(np.arange(a + length, b) for a, b in itertools.pairwise(borders)))


def hour_of_week(time: np.ndarray) -> np.ndarray:
    """0 for Monday, 00:00 to 167 for Sunday, 23:00."""
    hours = time.astype("datetime64[h]").astype(int)
    return (hours + 3 * 24) % 168  # the epoch, 1970-01-01, was a Thursday


def hour_of_week_mean(
    table: Table, train: np.ndarray, targets: np.ndarray
) -> np.ndarray:
    """The naive forecast: the mean training volume of the same hour of the week."""
    hour = hour_of_week(table.time)
    means = [table.volume[train[hour[train] == h]].mean() for h in range(168)]
    return np.array(means)[hour[targets]]
