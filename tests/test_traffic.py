"""The traffic experiment: its process, its windows, and its preparation of a file."""

import csv
import os
from pathlib import Path

import jax
import jax.numpy as jnp
import jax.random as jr
import matplotlib as mpl
import numpy as np
import pytest

import jaxplain as jx
from experiments.traffic import (
    explain,
    figure,
    generate,
    metro,
    model,
    series,
    situations,
    truth,
)

HOURS = 24 * 7 * 12
COLUMN = {name: i for i, name in enumerate(generate.COLUMNS)}
DATA = os.environ.get("JAXPLAIN_DATA", "")


@pytest.fixture(scope="module")
def table():
    return generate.generate(0, HOURS)


def rush_hour_window(**last):
    """A dry, mild working week up to the morning rush, but for the last hour."""
    window = np.zeros((series.WINDOW, len(generate.COLUMNS)), np.float32)
    angle = generate.TURN * (np.arange(series.WINDOW) % 24 + 8)
    steady = {"hour_sin": np.sin(angle), "hour_cos": np.cos(angle), "temperature": 10}
    for name, values in steady.items():
        window[:, COLUMN[name]] = values
    for name, value in last.items():
        window[-1, COLUMN[name]] = value
    return window


def volume_after(**last):
    return float(generate.process(rush_hour_window(**last)))


# The process


@pytest.mark.parametrize("name", generate.DRIVERS)
def test_a_stated_driver_changes_the_volume(name):
    window = rush_hour_window()
    other = np.roll(window, 6, axis=0) if name == "hour" else window + 1
    columns = [i for column, i in COLUMN.items() if column.startswith(name)]
    mixed = window.copy()
    mixed[:, columns] = other[:, columns]
    assert abs(generate.process(mixed) - generate.process(window)) > 20


def test_the_distractors_do_not_change_the_volume_at_all(table):
    window = series.windows(table.inputs, np.array([800]))[0]
    mixed = window.copy()
    for name in generate.DISTRACTORS:
        mixed[:, COLUMN[name]] = np.random.default_rng(0).normal(size=len(window))
    assert generate.process(mixed) == generate.process(window)
    gradient = jax.grad(generate.process)(jnp.asarray(window))
    assert not gradient[:, [COLUMN[name] for name in generate.DISTRACTORS]].any()


@pytest.mark.parametrize("name", ["holiday", "weekend", "rain", "snow"])
def test_a_driver_that_should_lower_rush_hour_traffic_lowers_it(name):
    assert volume_after(**{name: 1.0}) < volume_after() - 50


def test_a_holiday_at_the_weekend_changes_nothing_more():
    assert volume_after(holiday=1, weekend=1) == volume_after(weekend=1)


def test_only_snow_is_remembered_for_longer_than_three_hours():
    window = jnp.asarray(rush_hour_window(rain=1.0, snow=1.0))
    gradient = jax.grad(generate.process)(window)
    recent = {name: gradient[-4:, i] != 0 for name, i in COLUMN.items()}
    assert recent["rain"].tolist() == [False, True, True, True]
    assert recent["holiday"].tolist() == [False, False, False, True]
    assert recent["snow"].all()


def test_clouds_are_a_tempting_proxy_for_rain(table):
    clouds, rain = (table.inputs[:, COLUMN[name]] for name in ("clouds", "rain"))
    assert np.corrcoef(clouds, rain)[0, 1] > 0.3


def test_the_volume_is_the_process_of_the_window_before_and_noise(table):
    rows = np.arange(series.WINDOW, len(table))
    expected = jax.vmap(generate.process)(series.windows(table.inputs, rows))
    noise = table.volume[rows] - np.asarray(expected)
    error = generate.NOISE / np.sqrt(len(rows))
    assert abs(noise.mean()) < 4 * error
    assert abs(noise.std() - generate.NOISE) < 4 * error / np.sqrt(2)


def test_the_same_seed_draws_the_same_table_and_another_seed_another(table):
    again, other = generate.generate(0, HOURS), generate.generate(1, HOURS)
    assert np.array_equal(again.inputs, table.inputs)
    assert np.array_equal(again.volume, table.volume)
    assert not np.array_equal(other.volume, table.volume)


def test_the_columns_agree_with_the_clock(table):
    hour = series.hour_of_week(table.time)
    angle = generate.TURN * (hour % 24)
    assert np.allclose(table.inputs[:, COLUMN["hour_sin"]], np.sin(angle), atol=1e-5)
    assert np.array_equal(table.inputs[:, COLUMN["weekend"]], hour >= 5 * 24)


# Windows


def test_a_window_is_the_hours_before_its_target_without_it():
    rows = np.arange(400.0)[:, None]
    window = series.windows(rows, np.array([168, 399]))
    assert window.shape == (2, 168, 1)
    assert window[0, [0, -1], 0].tolist() == [0, 167]
    assert window[1, [0, -1], 0].tolist() == [231, 398]


@pytest.mark.parametrize("row", [167, 400])
def test_a_target_without_a_full_window_is_refused(row):
    with pytest.raises(ValueError, match=rf"\[168, 400\).*got rows from {row}"):
        series.windows(np.zeros((400, 1)), np.array([row]))


def test_periods_follow_each_other_and_share_no_hour():
    split = series.split(25656)
    seen = [set(range(rows[0] - 168, rows[-1] + 1)) for rows in split]
    assert seen[0].isdisjoint(seen[1])
    assert seen[1].isdisjoint(seen[2])
    assert [len(rows) for rows in split] == [21120, 2016, 2016]
    assert split.test[-1] == 25655


def test_a_series_too_short_to_hold_periods_out_is_refused():
    with pytest.raises(ValueError, match=r"at least 4704 rows.*got 4703"):
        series.split(4703)


def test_monday_midnight_is_the_first_hour_of_the_week():
    time = np.array(["2024-01-01T00", "2018-09-03T16", "2024-01-07T23"], "M8[h]")
    assert series.hour_of_week(time).tolist() == [0, 16, 167]


def test_the_naive_forecast_is_the_training_mean_of_the_hour_of_the_week():
    hours = np.arange(168 * 4)
    time = np.datetime64("2024-01-01T00", "h") + hours
    volume = (hours % 168 + 1000 * (hours // 168)).astype(float)
    table = series.Table(time, (), np.zeros((len(hours), 0)), volume)
    naive = series.hour_of_week_mean(table, hours[: 2 * 168], hours[-168:])
    assert np.array_equal(naive, np.arange(168) + 500)


# The file


HEADER = (
    "holiday,temp,rain_1h,snow_1h,clouds_all,weather_main,weather_description,"
    "date_time,traffic_volume"
)


def write_csv(path, rows):
    with path.open("w", newline="") as lines:
        csv.writer(lines).writerows([HEADER.split(","), *rows])
    return path


def hour(day, clock, volume, weather="Clear", holiday="None", temp=273.15, rain=0.0):
    when = f"2016-03-{day:02d} {clock:02d}:00:00"
    return [holiday, temp, rain, 0.0, 50, weather, "any", when, volume]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    rows = [hour(1, h, 100 * h, temp=280.15) for h in range(24)]
    rows += [hour(2, 0, 500, holiday="Spring Day"), *(hour(2, h, 0) for h in (1, 2))]
    # One hour recorded twice alike, and once more with other weather.
    rows += [hour(2, 3, 300, "Rain"), hour(2, 3, 300, "Rain"), hour(2, 3, 600, "Mist")]
    # Hours 4 to 6 are missing.
    rows += [hour(2, 7, 850, "Fog"), hour(2, 8, 900, rain=9831.3)]
    path = write_csv(tmp_path_factory.mktemp("metro") / "metro.csv", rows)
    first = np.datetime64("2016-03-01T12", "h")
    table = metro.prepare(path, first=first, rare=0.05)
    return table, dict(zip(table.columns, table.inputs.T, strict=True))


def test_the_prepared_table_has_every_hour_from_the_first_to_keep(prepared):
    table, _ = prepared
    assert str(table.time[0]) == "2016-03-01T12"
    assert np.array_equal(np.diff(table.time).astype(int), np.ones(len(table) - 1))
    assert len(table) == 12 + 9


def test_an_hour_recorded_twice_is_averaged_and_a_repeated_row_counts_once(prepared):
    table, columns = prepared
    assert table.volume[15] == (300 + 600) / 2
    assert columns["weather_Other"][15] == 1


def test_missing_hours_are_interpolated_and_their_weather_is_unknown(prepared):
    table, columns = prepared
    assert table.volume[16:19].tolist() == [550, 650, 750]
    assert columns["weather_Unknown"][16:19].tolist() == [1, 1, 1]


def test_a_holiday_is_spread_over_its_date_and_no_further(prepared):
    _, columns = prepared
    assert columns["is_holiday"].tolist() == [0] * 12 + [1] * 9


def test_units_and_outliers_are_those_of_the_chapter(prepared):
    _, columns = prepared
    assert np.allclose(columns["temp"][:12], 7.0)
    assert np.isclose(columns["rain_1h"][-1], 1.055)
    assert columns["dow"][0] == 1
    assert columns["hr"].tolist() == [*range(12, 24), *range(9)]


def test_rare_weather_is_pooled_and_each_hour_has_one_kind(prepared):
    _, columns = prepared
    kinds = [name for name in columns if name.startswith("weather_")]
    # Of 33 hours one has rain and one has fog: 3 % each.
    assert kinds == ["weather_Clear", "weather_Other", "weather_Unknown"]
    assert (sum(columns[name] for name in kinds) == 1).all()


def test_a_missing_file_is_named_with_where_to_get_it(tmp_path):
    path = tmp_path / "absent.csv"
    with pytest.raises(ValueError, match="Metro Interstate Traffic Volume") as error:
        metro.prepare(path)
    assert str(path) in str(error.value)


def test_a_file_without_the_columns_is_refused_by_name(tmp_path):
    path = tmp_path / "other.csv"
    path.write_text("date_time,temp\n2016-03-01 00:00:00,280\n")
    with pytest.raises(ValueError, match="lacks clouds_all, holiday, rain_1h"):
        metro.prepare(path)


def test_a_named_row_that_is_another_hour_is_refused(prepared):
    with pytest.raises(ValueError, match=r"Row 25000 .* must be 2018-09-03T16"):
        situations.metro(prepared[0])


@pytest.mark.skipif(
    not Path(DATA, "traffic.csv").is_file() or not DATA,
    reason="JAXPLAIN_DATA names no folder with traffic.csv",
)
def test_the_real_file_gives_the_table_of_the_chapter():
    table = metro.prepare(Path(DATA, "traffic.csv"))
    assert table.inputs.shape == (25656, 14)
    assert table.volume.shape == (25656,)
    assert table.columns == (
        *("dow", "hr", "temp", "rain_1h", "cloud_coverage", "is_holiday"),
        *(f"weather_{kind}" for kind in ("Clear", "Clouds", "Haze", "Mist")),
        *(f"weather_{kind}" for kind in ("Other", "Rain", "Snow", "Unknown")),
    )
    assert str(table.time[0]) == "2015-10-28T00"
    assert str(table.time[-1]) == "2018-09-30T23"
    assert situations.metro(table)["Holiday afternoon"] == 25000
    assert table.inputs[25000, 5] == 1


# The explanations


def test_enumerated_shapley_values_are_those_of_the_glove_game():
    members = truth.coalitions(3)
    pairs = members[:, 0] & (members[:, 1] | members[:, 2])
    values = truth.shapley_values(pairs.astype(float))
    assert np.allclose(values, [2 / 3, 1 / 6, 1 / 6])


def test_true_shapley_values_ignore_the_distractors_and_agree_with_kernel_shap(table):
    together = {"hour_sin": "hour", "hour_cos": "hour"}
    players = explain.players(generate.COLUMNS, together)
    window, *others = series.windows(table.inputs, np.array([905, 400, 1000]))
    background = np.stack(others)
    exact = truth.true_shapley_values(
        generate.process, window[None], background, players.labels
    )[0]
    ignored = [players.names.index(name) for name in generate.DISTRACTORS]
    assert np.allclose(exact[ignored], 0, atol=1e-3)
    kernel_shap = jx.kernel_shap(generate.process, num_samples=510, num_groups=9)
    phi = jax.jit(jx.expected(kernel_shap))(
        jnp.asarray(window),
        baseline=jnp.asarray(background),
        groups=players.labels,
        key=jr.key(0),
    )
    assert np.allclose(phi, exact, atol=0.05)


def test_columns_of_one_fact_are_one_player(table):
    players = explain.players(("a", "b", "c"), {"a": "ab", "b": "ab"})
    assert players.names == ("ab", "c")
    by_hour = np.ones((2, series.WINDOW, 3))
    by_player = explain.by_player(by_hour, players)
    assert by_player.tolist() == [[336, 168]] * 2


def test_the_background_ends_at_every_hour_of_the_day(table):
    rows = np.arange(series.WINDOW, len(table))
    stack = explain.background(table, rows, np.random.default_rng(0))
    last = stack[:, -1, : COLUMN["hour_cos"] + 1].round(4)
    assert stack.shape == (24, series.WINDOW, len(generate.COLUMNS))
    assert len(np.unique(last, axis=0)) == 24


@pytest.mark.slow
def test_a_forecast_is_the_same_alone_in_a_batch_and_in_another_run(table):
    config = model.Training(num_units=2, num_steps=2, batch_size=2, chunk=2)
    rows = series.split(len(table), held_out=200)
    scales = model.standard(table.inputs), model.standard(table.volume)

    def fit_and_predict():
        forecaster = model.train(
            table.inputs, table.volume, rows.train, scales, config, jr.key(0)
        )
        return forecaster, model.predict(table.inputs, rows.test[:3], forecaster)

    # Optax raises a float to an integer power, which strict promotion refuses.
    with jax.numpy_dtype_promotion("standard"):
        forecaster, batch = fit_and_predict()
        _, again = fit_and_predict()
    window = series.windows(table.inputs, rows.test[:1])[0]
    alone = model.forecast(jnp.asarray(window), forecaster)
    assert np.allclose(batch[0], alone, rtol=1e-5)
    assert np.array_equal(batch, again)


def test_the_figure_is_written_and_no_global_setting_changes(tmp_path):
    before = dict(mpl.rcParams)
    rng = np.random.default_rng(0)
    columns, players = ("a", "b"), ("ab", "c")
    drawn = figure.Situation(
        *("Snowstorm", "2025-01-01 08:00"),
        *(rng.random(series.WINDOW), 1.0, 1.1, 0.5),
        *(rng.normal(size=s) for s in ((series.WINDOW, 2), 7, 2)),
    )
    known = drawn._replace(true_by_day=rng.random(7), true_by_column=rng.random(2))
    for name, situation in (("unknown", drawn), ("known", known)):
        path = figure.draw([situation] * 2, columns, players, tmp_path / f"{name}.png")
        assert path.read_bytes().startswith(b"\x89PNG")
    assert dict(mpl.rcParams) == before
