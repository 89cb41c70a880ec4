"""The Metro Interstate Traffic Volume table, prepared as a textbook chapter does.

The chapter is the ninth of Masis, *Interpretable Machine Learning with Python* (1st
edition): hourly westbound volume on Interstate 94, weather and holidays, one row per
hour from 2015-10-28 to 2018-09-30. The steps below follow its published preparation to
the row: hours that were recorded twice are averaged, missing hours interpolated, and
rare kinds of weather pooled before they become indicator columns.
"""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from experiments.traffic.series import Table, hour_of_week

SOURCE = "Metro Interstate Traffic Volume, from the UCI Machine Learning Repository"
NUMBERS = ("temp", "rain_1h", "snow_1h", "clouds_all", "traffic_volume")
NEEDED = ("date_time", *NUMBERS, "weather_main", "holiday")
FIRST = np.datetime64("2015-10-28T00", "h")  # much of the year before is missing

# The file marks a holiday in its first hour only. Where that hour is missing from the
# file, the chapter names the day.
UNMARKED_HOLIDAYS = (
    "2013-01-21",
    "2014-07-04",
    "2014-08-21",
    "2014-09-01",
    "2014-10-13",
    "2014-11-11",
    "2014-11-27",
    "2014-12-25",
    "2015-01-01",
    "2015-01-19",
    "2015-02-16",
    "2015-05-25",
    "2016-01-18",
)


def read(path: str | Path) -> list[dict[str, str]]:
    """The rows of the file, in its order."""
    path = Path(path)
    if not path.is_file():
        raise ValueError(
            f"`--csv` must be the path of an existing file, but there is no {path}. "
            f"Get the file by its name ({SOURCE}), uncompress it, and pass its path."
        )
    with path.open(newline="") as lines:
        reader = csv.DictReader(lines)
        missing = sorted(set(NEEDED) - set(reader.fieldnames or ()))
        if missing:
            raise ValueError(
                f"The file must have the columns {', '.join(NEEDED)}, but {path} lacks "
                f"{', '.join(missing)}. Pass {SOURCE}."
            )
        return list(reader)


def _by_hour(rows: Iterable[dict[str, str]]) -> dict[np.datetime64, list[tuple]]:
    """The distinct rows of each hour: `(*numbers, weather, holiday)`."""
    distinct = dict.fromkeys(
        (
            np.datetime64(row["date_time"], "h"),
            *(float(row[name]) for name in NUMBERS),
            row["weather_main"],
            row["holiday"],
        )
        for row in rows
    )
    hours: dict[np.datetime64, list[tuple]] = {}
    for hour, *values in distinct:
        hours.setdefault(hour, []).append(tuple(values))
    return hours


def _first(labels: Iterable[str]) -> str:
    """The first label that says something."""
    return next((label for label in labels if label not in ("", "None")), "None")


def _holidays(time: np.ndarray, marks: Sequence[str]) -> np.ndarray:
    """Spread a holiday, marked in one hour, over all hours of its date."""
    date = time.astype("datetime64[D]")
    marked = date[np.array([mark != "None" for mark in marks])]
    named = np.array(UNMARKED_HOLIDAYS, "datetime64[D]")
    return np.isin(date, np.concatenate([marked, named]))


def _weather_indicators(kinds: Sequence[str], rare: float) -> dict[str, np.ndarray]:
    """One column per kind of weather, in alphabetical order; rare ones are `Other`."""
    kind = np.array(["Unknown" if name == "None" else name for name in kinds], object)
    names, counts = np.unique(kind.astype(str), return_counts=True)
    kind[np.isin(kind.astype(str), names[counts < rare * len(kind)])] = "Other"
    return {f"weather_{name}": kind == name for name in sorted(set(kind))}


def prepare(
    path: str | Path, first: np.datetime64 = FIRST, rare: float = 0.01
) -> Table:
    """Read the file into an hourly table with 14 inputs.

    Args:
        path: The CSV file of the UCI repository, uncompressed.
        first: First hour to keep. Whatever counts rows (the share of rare weather)
            counts all of the file, as the chapter does.
        rare: Kinds of weather below this share of the hours are pooled as `Other`.
    """
    hours = _by_hour(read(path))
    known = np.array(sorted(hours))
    time = np.arange(known[0], known[-1] + 1)
    means = np.array([np.mean([row[:5] for row in hours[h]], axis=0) for h in known])
    position, seen = time.astype(int), known.astype(int)
    number = {
        name: np.interp(position, seen, means[:, i]) for i, name in enumerate(NUMBERS)
    }
    weather, marks = (
        [_first(row[i] for row in hours.get(h, ())) for h in time] for i in (5, 6)
    )
    week_hour = hour_of_week(time)
    columns = {
        "dow": week_hour // 24,
        "hr": week_hour % 24,
        "temp": number["temp"] - 273.15,
        # The file has an hour with 9.8 metres of rain; the chapter puts this instead.
        "rain_1h": np.where(number["rain_1h"] > 50, 1.055, number["rain_1h"]),
        "cloud_coverage": number["clouds_all"],
        "is_holiday": _holidays(time, marks),
        **_weather_indicators(weather, rare),
    }
    kept = time >= first
    inputs = np.stack([columns[name] for name in columns], axis=1)[kept]
    volume = number["traffic_volume"][kept]
    return Table(
        time[kept], tuple(columns), inputs.astype(np.float32), volume.astype(np.float32)
    )
