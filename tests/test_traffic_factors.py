"""The traffic experiment: what varies a forecast, on made-up days and on record."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from helpers import assert_close

from experiments.traffic import factors, generate, sensitivity, series

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def generated():
    table = generate.generate(0, 24 * 7 * 6)
    return table, factors.generated(table)


@pytest.fixture(scope="module")
def highway():
    """A table with the columns of the real one."""
    hours = np.arange(24 * 7 * 4)
    rng = np.random.default_rng(0)
    time = np.datetime64("2018-01-01T00", "h") + hours  # a Monday
    week_hour = series.hour_of_week(time)
    kinds = np.eye(3)[rng.integers(3, size=len(hours))]
    columns = [
        *(week_hour // 24, week_hour % 24, rng.normal(10, 8, len(hours))),
        *(rng.gamma(0.3, 1, len(hours)), rng.integers(0, 93, len(hours))),
        hours // 24 == 9,
    ]
    names = ("dow", "hr", "temp", "rain_1h", "cloud_coverage", "is_holiday")
    inputs = np.column_stack([*columns, kinds]).astype(np.float32)
    kinds = tuple(f"weather_{kind}" for kind in ("Clear", "Mist", "Rain"))
    table = series.Table(time, names + kinds, inputs, np.zeros(len(hours), np.float32))
    return table, factors.metro(table)


def test_a_made_up_window_leads_up_to_its_hour_and_keeps_the_weather_before(highway):
    table, varied = highway
    reference = factors.reference(table, 300)
    monday = jnp.array([0.5, 0.5, -7.0, 0.2, 40.0, 1.5, 0.1, 0.9, 0.3])
    window = factors.scenario(monday.astype(jnp.float32), reference, varied)
    # The hour described is Monday, 00:00: the one before it is Sunday, 23:00.
    assert window[-1, :2].tolist() == [6, 23]
    assert window[0, :2].tolist() == [0, 0]
    last_day = np.array([-7, 0.2, 40, 1, 0, 1, 0], np.float32)
    assert (window[-24:, 2:] == last_day[None]).all()
    assert (window[:-24, 2:] == reference[:-24, 2:]).all()


def test_the_angle_of_a_made_up_window_is_that_of_the_table(generated):
    table, varied = generated
    row = 400
    hour = float(series.hour_of_week(table.time[row]) % 24)
    point = np.append(hour, table.inputs[row, 2:]).astype(np.float32)
    week = factors.reference(table, row)
    window = factors.scenario(jnp.asarray(point), week, varied)
    real = series.windows(table.inputs, np.array([row]))[0]
    assert_close(window[:, :2], real[:, :2])
    assert_close(window[-24:, 2:], np.tile(table.inputs[row, 2:], (24, 1)))


def test_an_hour_on_record_is_its_own_nearest(highway):
    table, varied = highway
    rows = np.arange(0, len(table), 7)
    record = factors.record(table, rows, np.arange(len(rows)))
    points = jnp.asarray(table.inputs[rows])
    # One factor per column of this table, in the same order.
    look_up = jax.jit(jax.vmap(lambda point: factors.look_up(point, record, varied)))
    assert look_up(points).tolist() == list(range(len(rows)))


def test_the_nearest_hour_agrees_in_time_then_temperature_then_the_rest(highway):
    table, varied = highway
    wanted = table.inputs[30].copy()
    hours = np.stack([wanted] * 4)
    hours[0, 1] += 1  # another hour of the day, and all else equal
    hours[1, 2] += 5.5  # beyond the first tolerance
    hours[2, [2, 4, 6, 7, 8]] = [
        wanted[2] + 4.5,
        wanted[4] - 40,
        *np.roll(wanted[6:], 1),
    ]
    hours[3, 2] += 60  # beyond all
    few = series.Table(table.time[:4], table.columns, hours, table.volume[:4])
    nearest = jax.jit(
        lambda record: factors.nearest(jnp.asarray(wanted), record, varied)
    )
    ranks = []
    for left in ([0, 1, 2, 3], [0, 1, 3, 3], [0, 3, 3, 3], [0, 0, 0, 0]):
        match = nearest(factors.record(few, np.array(left), np.zeros(4)))
        ranks.append((left[int(match.index)], bool(match.alike)))
    assert ranks == [(2, True), (1, True), (3, False), (0, False)]


def test_two_kinds_of_weather_are_one_difference(highway):
    table, _ = highway
    wanted = table.inputs[30].copy()
    # All of the range of the clouds is as much as another kind of weather.
    hours = np.stack([wanted] * 2)
    hours[0, 4], hours[1, 6:] = wanted[4] + 90, np.roll(wanted[6:], 1)
    few = series.Table(table.time[:2], table.columns, hours, table.volume[:2])
    record = factors.record(few, np.arange(2), np.arange(2.0))
    record = record._replace(widths=record.widths.at[4].set(90.0))
    apart = (record.hours - wanted[:, None]) / record.widths[:, None]
    assert_close((apart**2).sum(0), np.ones(2, np.float32))


def test_the_ranges_hold_nearly_all_hours_and_whole_numbers_evenly(highway):
    table, varied = highway
    draws = np.random.default_rng(0).random((9000, 9))
    points = varied.low + draws * (varied.high - varied.low)
    weekdays = np.bincount(np.floor(points[:, 0]).astype(int))
    # Four standard errors of a count of 9,000 draws in 7 parts.
    assert np.abs(weekdays - 9000 / 7).max() < 4 * np.sqrt(9000 * 6 / 49)
    inside = (table.inputs[:, 2] >= varied.low[2]) & (
        table.inputs[:, 2] <= varied.high[2]
    )
    assert 0.97 < inside.mean() < 0.99


# How much each matters


SIZE = sensitivity.Size(num_trajectories=8, num_samples=32)


@pytest.mark.slow
def test_a_column_without_effect_has_none_on_made_up_days(generated):
    table, varied = generated
    week = factors.reference(table, 500)
    found = sensitivity.of_scenarios(
        generate.process, varied, week, jr.key(0), size=SIZE
    )
    ignored = [varied.names.index(name) for name in generate.DISTRACTORS]
    used = [varied.names.index(name) for name in generate.DRIVERS]
    # Lanes of a vector instruction may round the same number differently.
    assert (found.mu_star[ignored] < 1e-3).all()
    assert (found.total[ignored] < 1e-9).all()
    assert (found.total[used] > 0).all()
    # Snow for a day lowers traffic from every start.
    assert found.mu[varied.names.index("snow")] < 0


@pytest.mark.slow
def test_similar_hours_blame_columns_without_effect(generated):
    table, varied = generated
    rows = np.arange(series.WINDOW, len(table))
    volumes = np.asarray(generate.expected_volumes(table.inputs))
    record = factors.record(table, rows, volumes)
    found = sensitivity.of_record(varied, record, jr.key(0), size=SIZE)
    ignored = [varied.names.index(name) for name in generate.DISTRACTORS]
    # Other hours, other days: whatever differs is laid to what was varied.
    assert (found.total[ignored] > 0).all()


def test_the_weather_is_one_group_of_all_its_kinds(highway):
    table, varied = highway
    mist = lambda window: window[-1, 7]
    week = factors.reference(table, 300)
    found = sensitivity.of_scenarios(mist, varied, week, jr.key(0), size=SIZE)
    weather = varied.names.index("weather")
    assert found.total.shape == (7,)
    assert np.flatnonzero(found.total).tolist() == [weather]
    # A group of several factors has no direction.
    assert np.isnan(found.mu[weather])
    described = sensitivity.describe(varied.names, found)
    assert described["total"]["weather"] == found.total[weather]


def test_the_share_on_record_counts_hours_that_are_alike(highway):
    table, varied = highway
    workdays = np.flatnonzero(table.inputs[:, 0] < 5)
    share = sensitivity.share_on_record(
        varied, factors.record(table, workdays, np.zeros(len(workdays))), jr.key(0)
    )
    # Half of the draws are holidays, and two in seven weekends. The one Wednesday that
    # is a holiday, and temperatures too far away, count a few per cent either way.
    assert 0.15 < share < 0.45
