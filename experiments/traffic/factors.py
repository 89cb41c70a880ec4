"""One hour as a few conditions, and two ways to ask a forecaster about it.

A forecaster reads a week of hours. To vary *the temperature* one must say of which
hours, and what the others do meanwhile. Two answers:

`scenario` makes up a week: its clock leads up to the wanted hour, its last day has the
wanted conditions throughout, and the six days before keep the weather of a real week.
It asks what the forecaster does, also for weather that never was.

`look_up` is the chapter's: find the most similar hour on record and take the forecast
that was made for it. It asks of real weeks only. But whatever else was different in the
week it finds is laid to the condition that was varied.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.traffic import generate
from experiments.traffic.series import WINDOW, Table, windows

HELD = 24  # hours for which the conditions of a scenario last
# The chapter looks among hours at most so many degrees away, or so many, or so many.
TOLERANCES = (5.0, 8.0, 11.0)

Row = Callable[[jax.Array, jax.Array], jax.Array]


class Factors(NamedTuple):
    """What is varied, in which ranges, and how it becomes a row of the table.

    Attributes:
        names: Of the groups of factors.
        low: Lowest value of each factor.
        high: Its highest value.
        groups: Group of each factor.
        row: `row(point, ago)`: the columns `ago` hours before the hour described.
        clock: Which columns tell the time, in every hour of a scenario.
        exact: Which columns must be equal for two hours to be alike.
        temperature: The column with the temperature, in degrees Celsius.
    """

    names: tuple[str, ...]
    low: np.ndarray
    high: np.ndarray
    groups: np.ndarray
    row: Row
    clock: np.ndarray
    exact: np.ndarray
    temperature: int


# Whole numbers are the floor of what is varied, each with an equal share of the range.
BELOW = 1e-3


def generated(table: Table) -> Factors:
    """Nine factors, each with a range of 98 % of the generated hours."""

    def row(point: jax.Array, ago: jax.Array) -> jax.Array:
        hour, weekend, holiday = jnp.floor(point[:3])
        angle = generate.TURN * (hour - ago)
        known = jnp.stack([jnp.sin(angle), jnp.cos(angle), weekend, holiday])
        return jnp.concatenate([known, point[3:]])

    names = ("hour", *table.columns[2:])
    ends = np.quantile(table.inputs[:, 4:], [0.01, 0.99], axis=0)
    low = np.concatenate([[0, 0, 0], ends[0]])
    high = np.concatenate([np.array([24, 2, 2]) - BELOW, ends[1]])
    return _factors(table, names, low, high, np.arange(len(names)), row)


def metro(table: Table) -> Factors:
    """Weekday, hour, temperature, rain, clouds, holiday and the kind of weather.

    Each kind of weather has a factor; the largest of them names the kind. They form one
    group: what is varied is the weather, and not its being misty.
    """
    num_kinds = sum(name.startswith("weather_") for name in table.columns)

    def row(point: jax.Array, ago: jax.Array) -> jax.Array:
        weekday, hour, temperature, rain, clouds, holiday = point[:6]
        week_hour = (24 * jnp.floor(weekday) + jnp.floor(hour) - ago) % 168
        time = [jnp.floor(week_hour / 24), week_hour % 24]
        steady = [temperature, rain, clouds, jnp.floor(holiday)]
        kind = jax.nn.one_hot(point[6:].argmax(), num_kinds, dtype=point.dtype)
        return jnp.concatenate([jnp.stack(time + steady), kind])

    names = ("weekday", "hour", "temperature", "rain", "clouds", "holiday", "weather")
    ends = np.quantile(table.inputs[:, 2:5], [0.01, 0.99], axis=0)
    low = np.concatenate([[0, 0], ends[0], [0], np.zeros(num_kinds)])
    whole = np.array([7, 24, 2]) - BELOW
    high = np.concatenate([whole[:2], ends[1], whole[2:], np.ones(num_kinds)])
    groups = np.minimum(np.arange(6 + num_kinds), 6)
    return _factors(table, names, low, high, groups, row)


def _factors(
    table: Table,
    names: tuple[str, ...],
    low: np.ndarray,
    high: np.ndarray,
    groups: np.ndarray,
    row: Row,
) -> Factors:
    columns = np.array(table.columns)
    temperature = int(np.flatnonzero(np.char.startswith(columns, "temp"))[0])
    calendar = np.isin(columns, ["weekend", "holiday", "is_holiday"])
    # Hour and weekday, or the sine and cosine of the hour.
    clock = np.arange(len(columns)) < 2
    ends = (end.astype(np.float32) for end in (low, high))
    return Factors(names, *ends, groups, row, clock, clock | calendar, temperature)


def scenario(point: jax.Array, reference: jax.Array, factors: Factors) -> jax.Array:
    """A made-up window: (hours, columns).

    The clock runs up to the hour described; all other columns have its conditions for
    the last day, and those of the `reference` window before.
    """
    ago = jnp.arange(WINDOW, 0, -1, dtype=point.dtype)
    made_up = jax.vmap(lambda hours: factors.row(point, hours))(ago)
    ours = (ago <= HELD)[:, None] | factors.clock[None]
    return jnp.where(ours, made_up.astype(reference.dtype), reference)


class Record(NamedTuple):
    """Hours that were observed, and what was forecast for each.

    The hours are columns here: (columns of the table, hours).
    """

    hours: jax.Array
    forecasts: jax.Array
    widths: jax.Array


def record(table: Table, rows: np.ndarray, forecasts: np.ndarray) -> Record:
    """The record of some rows of the table."""
    inputs = table.inputs[rows]
    widths = np.ptp(inputs, axis=0)
    # Two kinds of weather differ in two indicators, and count as one difference.
    indicators = np.char.startswith(np.array(table.columns), "weather_")
    widths = np.where(indicators, np.sqrt(2, dtype=widths.dtype), widths)
    arrays = inputs.T, forecasts, np.where(widths > 0, widths, 1)
    return Record(*(jnp.asarray(a, jnp.float32) for a in arrays))


class Match(NamedTuple):
    """The hour on record most like another: `alike` if all that must agree does."""

    index: jax.Array
    alike: jax.Array


def nearest(point: jax.Array, record: Record, factors: Factors) -> Match:
    """The most similar hour: same time first, then temperature, then all the rest.

    The distance is that of Wilson and Martinez (1997): the difference over the range,
    or 1 between two kinds. Where the chapter's filter leaves nobody, ours takes who
    fails it least.
    """
    query = factors.row(point, jnp.zeros((), point.dtype))
    difference = record.hours - query[:, None]
    apart = jnp.abs(difference) / record.widths[:, None]
    distance = jnp.sqrt((apart**2).sum(0))
    # Cosines of equal hours differ by rounding.
    mismatches = (apart[factors.exact] > 1e-3).sum(0)
    degrees = jnp.abs(difference[factors.temperature])
    tier = sum((degrees > t).astype(distance.dtype) for t in TOLERANCES)
    # Distances stay below 10, so no nearness makes up for what comes before it.
    index = (1000 * mismatches.astype(distance.dtype) + 10 * tier + distance).argmin()
    return Match(index, (mismatches[index] == 0) & (tier[index] < len(TOLERANCES)))


def look_up(point: jax.Array, record: Record, factors: Factors) -> jax.Array:
    """The forecast that was made for the most similar hour on record."""
    return record.forecasts[nearest(point, record, factors).index]


def reference(table: Table, row: int) -> jax.Array:
    """The real window before one row."""
    return jnp.asarray(windows(table.inputs, np.array([row]))[0])
