"""Which windows to explain: a few with names, and a sample of every condition."""

import numpy as np

from experiments.traffic.generate import road_snow
from experiments.traffic.series import Table, hour_of_week, windows

RUSH_HOURS = (7, 8, 9, 16, 17, 18)

# Target rows of the prepared Metro table, and the hours they must be. The window of a
# row is the 168 hours before it: maps of these situations have been published for
# windows that start 672 hours before the row, where there is no holiday.
METRO = {
    "Holiday afternoon": (25000, "2018-09-03T16"),
    "Peak morning": (25040, "2018-09-05T08"),
    "Hot Saturday": (25284, "2018-09-15T12"),
}


def conditions(table: Table, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Masks over target rows of the generated table, from the state of the drivers."""
    last = dict(zip(table.columns, table.inputs[rows - 1].T, strict=True))
    hour = hour_of_week(table.time[rows]) % 24
    recent = windows(table.inputs, rows)
    rain = recent[:, -3:, table.columns.index("rain")].mean(axis=1)
    snow = road_snow(recent[:, :, table.columns.index("snow")])
    weekend, holiday = last["weekend"] > 0, last["holiday"] > 0
    rush, dry = np.isin(hour, RUSH_HOURS), (rain < 0.1) & (snow < 0.1)
    return {
        "ordinary": rush & dry & ~weekend & ~holiday,
        "holiday": rush & dry & ~weekend & holiday,
        "weekend": rush & dry & weekend & ~holiday,
        "rain": rush & (rain > 0.5) & ~weekend & ~holiday,
        "snow": rush & (snow > 2) & ~weekend & ~holiday,
    }


def generated(table: Table, rows: np.ndarray) -> dict[str, int]:
    """Named target rows, each the clearest case of its condition among `rows`."""
    met = conditions(table, rows)
    hour = hour_of_week(table.time[rows]) % 24
    snow = road_snow(windows(table.inputs, rows)[:, :, table.columns.index("snow")])
    clearest = {
        "Holiday afternoon": met["holiday"] * (hour == 17),
        "Peak morning": met["ordinary"] * (hour == 8),
        "Snowstorm": met["snow"] * snow,
    }
    for name, clarity in clearest.items():
        if not clarity.any():
            raise ValueError(
                f"The held-out period must have a {name.lower()}, but this draw of the "
                "weather and the holidays has none. Pass another `--seed`."
            )
    return {name: int(rows[clarity.argmax()]) for name, clarity in clearest.items()}


def sample(
    table: Table, rows: np.ndarray, per_condition: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Up to `per_condition` target rows of each condition, drawn at random."""
    drawn = {}
    for name, met in conditions(table, rows).items():
        eligible = rows[met]
        size = min(per_condition, len(eligible))
        drawn[name] = np.sort(rng.choice(eligible, size, replace=False))
    return drawn


def metro(table: Table) -> dict[str, int]:
    """The named rows of the chapter, each checked against the hour it must be."""
    for name, (row, hour) in METRO.items():
        got = str(table.time[row]) if row < len(table) else "no such row"
        if got != hour:
            raise ValueError(
                f"Row {row} of the prepared table must be {hour} ({name}), but got "
                f"{got}. Pass the complete file, and prepare it from 2015-10-28."
            )
    return {name: row for name, (row, _) in METRO.items()}
