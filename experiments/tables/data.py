"""Daily rentals of bicycles: the real table, or days of a known rule.

Both have the same columns. A number stands in one column, a category in as many columns
as it has values, one of which is 1.
"""

import csv
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from jaxplain import tables

NUMBERS = ("temperature", "humidity", "wind", "trend")
UNITS = {"temperature": "°C", "humidity": "%", "wind": "km/h", "trend": "days"}
CATEGORIES = {
    "season": ("winter", "spring", "summer", "autumn"),
    "weather": ("good", "misty", "bad"),
    "day": ("workday", "weekend", "holiday"),
}
FEATURES = (*NUMBERS, *CATEGORIES)
WITHOUT_EFFECT = ("wind", "season")  # in the generated days
NUM_DAYS = 730
NOISE = 350.0  # rentals per day
SEASONS = {"WINTER": 0, "SPRING": 1, "SUMMER": 2, "FALL": 3}
WEATHER = {"GOOD": 0, "MISTY": 1, "BAD": 2}


def _layout() -> tables.OneHot:
    blocks, first = [], len(NUMBERS)
    for values in CATEGORIES.values():
        blocks.append(range(first, first + len(values)))
        first += len(values)
    return tables.one_hot(first, blocks=blocks)


LAYOUT = _layout()


class Days(NamedTuple):
    """The days, by number and code of each feature, and what was rented on them."""

    codes: np.ndarray  # (days, features)
    rentals: np.ndarray  # (days,)
    names: tuple[str, ...]

    @property
    def rows(self) -> np.ndarray:
        """What the network sees: categories as one-hot columns."""
        return np.asarray(tables.decode(self.codes, LAYOUT))


def read(path: Path) -> Days:
    """The table of a scheme in Washington, D.C., 2011 and 2012."""
    with path.open(newline="") as lines:
        found = list(csv.DictReader(lines))
    codes = [
        [
            float(day["temp"]),
            float(day["hum"]),
            float(day["windspeed"]),
            float(day["days_since_2011"]),
            SEASONS[day["season"]],
            WEATHER[day["weather"]],
            2 if day["holiday"] == "Y" else 0 if day["workday"] == "Y" else 1,
        ]
        for day in found
    ]
    rentals = np.array([float(day["cnt"]) for day in found], np.float32)
    names = tuple(day["dteday"] for day in found)
    return Days(np.array(codes, np.float32), rentals, names)


def rule(row: jax.Array) -> jax.Array:
    """The expected rentals of a generated day, of its row with one-hot columns.

    Warmth draws people out up to 26 °C; humidity above 60 % and poor weather keep them
    in, at weekends more than on the way to work. Wind and season have no effect. There
    are no fewer than none: the last step bends the sum to stay above.
    """
    temperature, humidity, _, trend = (row[i] for i in range(4))
    misty, bad = row[9], row[10]
    weekend, holiday = row[12], row[13]
    warmth = 160.0 * temperature - 6.0 * jax.nn.relu(temperature - 26.0) ** 2
    wet = 25.0 * jax.nn.relu(humidity - 60.0) + 450.0 * misty + 1700.0 * bad
    away = -250.0 * weekend - 700.0 * holiday
    total = 1800.0 + 3.5 * trend + warmth + away - wet * (1.0 + 0.5 * weekend)
    return 500.0 * jax.nn.softplus(total / 500.0)


def generate(rng: np.random.Generator) -> Days:
    """Two years of days: correlated weather, and rentals by the rule with noise."""
    day = np.arange(NUM_DAYS)
    angle = 2 * np.pi * (day - 20) / 365
    drift = 4.0 * _persistent(rng, 0.8)
    temperature = 13.0 - 12.0 * np.cos(angle) + drift
    humidity = np.clip(62.0 + 14.0 * _persistent(rng, 0.6), 15.0, 99.0)
    wind = np.abs(12.0 + 5.0 * _persistent(rng, 0.5))
    season = (day + 10) // 91 % 4
    sky = humidity + rng.normal(0.0, 6.0, NUM_DAYS)
    weather = np.digitize(sky, [68.0, 84.0])
    kind = np.where(day % 7 >= 5, 1, 0)
    kind[rng.choice(NUM_DAYS, 40, replace=False)] = 2
    codes = np.stack([temperature, humidity, wind, day, season, weather, kind], 1)
    codes = codes.astype(np.float32)
    expected = jax.vmap(rule)(tables.decode(codes, LAYOUT))
    rentals = np.asarray(expected) + rng.normal(0.0, NOISE, NUM_DAYS)
    names = tuple(f"day {d + 1}" for d in day)
    return Days(codes, np.maximum(rentals, 0.0).astype(np.float32), names)


def _persistent(rng: np.random.Generator, memory: float) -> np.ndarray:
    """Noise of unit variance that resembles the day before."""
    noise, values = rng.normal(size=NUM_DAYS), np.zeros(NUM_DAYS)
    for i in range(NUM_DAYS):
        before = values[i - 1] if i else 0.0
        values[i] = memory * before + np.sqrt(1 - memory**2) * noise[i]
    return values


def split(
    days: Days, rng: np.random.Generator, share: float = 0.2
) -> tuple[np.ndarray, np.ndarray]:
    """Rows to train on and rows held out, drawn at random."""
    order = rng.permutation(len(days.rentals))
    held_out = int(share * len(order))
    return np.sort(order[held_out:]), np.sort(order[:held_out])
