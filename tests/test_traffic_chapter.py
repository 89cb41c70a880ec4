"""The traffic experiment: the published network, the figures, and a run."""

import os
from pathlib import Path

import jax
import jax.numpy as jnp
import matplotlib as mpl
import numpy as np
import pytest
from helpers import assert_close

from experiments import common
from experiments.traffic import (
    chapter,
    chapter_figure,
    explain,
    metro,
    published,
    sensitivity,
    sensitivity_figure,
    series,
    situations,
)
from experiments.traffic.__main__ import main, table_file

UNITS, COLUMNS = 5, 3
DATA = Path(os.environ.get("JAXPLAIN_DATA") or "/nowhere")
needs_chapter = pytest.mark.skipif(
    not (DATA / "traffic.csv").is_file() or not chapter.available(DATA),
    reason="JAXPLAIN_DATA names no folder with traffic.csv and the published weights",
)


# The published network


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(series.WINDOW + 3 * published.BATCH + 5, COLUMNS))
    volume = 1000 * rng.random(len(inputs))
    time = np.datetime64("2024-01-01T00", "h") + np.arange(len(inputs))
    return series.Table(
        time, ("a", "b", "c"), inputs.astype(np.float32), volume.astype(np.float32)
    )


@pytest.fixture(scope="module")
def network(table, tmp_path_factory):
    """Random weights in a file of the published layout."""
    rng, folder = np.random.default_rng(1), tmp_path_factory.mktemp("weights")
    shapes = {
        "lstm/kernel": (COLUMNS, 4 * UNITS),
        "lstm/recurrent_kernel": (UNITS, 4 * UNITS),
        "lstm/bias": (4 * UNITS,),
        "dense/kernel": (UNITS, 1),
        "dense/bias": (1,),
    }
    weights = {name: rng.normal(size=shape) / 2 for name, shape in shapes.items()}
    weights["dense/bias"] += 1  # or the ReLU would be off
    np.savez(folder / published.FILE, **weights)
    return published.load(folder, table)


def transcription(windows, state, network):
    """The equations of an LSTM, as Keras writes them, in a loop."""
    kernel, recurrent, bias, head, head_bias, inputs, volume = jax.tree.map(
        lambda a: np.asarray(a, np.float64), network
    )
    sigmoid = lambda z: 1 / (1 + np.exp(-z))
    hidden, cell = state
    for hour in range(series.WINDOW):
        x = (windows[:, hour] - inputs.offset) / inputs.width
        i, f, c, o = np.split(x @ kernel + hidden @ recurrent + bias, 4, axis=1)
        cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(c)
        hidden = sigmoid(o) * np.tanh(cell)
    scaled = np.maximum(hidden @ head + head_bias, 0)[:, 0]
    return (hidden, cell), volume.offset + volume.width * scaled


@pytest.mark.slow
def test_the_published_network_is_the_lstm_of_keras(table, network):
    windows = series.windows(table.inputs, np.array([170, 200]))
    zero = np.zeros((2, UNITS))
    _, expected = transcription(windows, (zero, zero), network)
    volumes = [published.forecast(jnp.asarray(w), network) for w in windows]
    assert_close(jnp.stack(volumes), expected.astype(np.float32))
    assert (expected > float(network.volume.offset)).any()


def test_each_batch_starts_where_the_one_before_ended_and_the_rest_is_left_out(
    table, network
):
    zero = np.zeros((published.BATCH, UNITS))
    state, expected = (zero, zero), []
    for batch in range(3):
        rows = series.WINDOW + published.BATCH * batch + np.arange(published.BATCH)
        windows = series.windows(table.inputs, rows)
        state, volumes = transcription(windows, state, network)
        expected.append(volumes)
    start = published.rest(published.BATCH, network)
    end, volumes = published.stateful(table.inputs, start, network)
    assert_close(volumes, np.concatenate(expected).astype(np.float32))
    assert_close(end, tuple(part.astype(np.float32) for part in state))


# Figures and the command line


def a_map(rng, row):
    hours = np.datetime64("2018-09-03T16", "h") + np.arange(-series.WINDOW, 1)
    by_hour = 100 * rng.normal(size=(series.WINDOW, 3))
    volume, past = 5000 * rng.random(series.WINDOW + 1), rng.normal(size=series.WINDOW)
    return chapter.Map(
        "Peak morning", row, hours, volume, 4000.0, 1500.0, by_hour, 0.1, past, 120
    )


def test_the_figures_are_written_and_no_global_setting_changes(tmp_path):
    before, rng = dict(mpl.rcParams), np.random.default_rng(0)
    drawn = {"labelled": [a_map(rng, 1)] * 3, "printed": [a_map(rng, 2)] * 2}
    names = ("hour", "weather_Clear", "holiday")
    effects = [np.array([0.0, 50.0, 2000.0])] * 9
    grouped = np.array([0.0, np.nan, 1500.0])
    found = sensitivity.Sensitivity(*effects)._replace(
        sigma=grouped, first=np.array([0, 0.1, 0.6]), total=np.array([0, 0.2, 0.8])
    )
    paths = [
        chapter_figure.draw(drawn, names, tmp_path / "chapter.png"),
        sensitivity_figure.draw(
            {"one": found, "two": found}, names, tmp_path / "sensitivity.png"
        ),
    ]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)
    assert dict(mpl.rcParams) == before


def test_a_folder_without_the_table_is_said_to_lack_it(tmp_path, capsys):
    options = common.parser("traffic", None).parse_args(["--data", str(tmp_path)])
    options.csv = None
    assert table_file(options, common.Clock()) is None
    assert f"no {tmp_path / 'traffic.csv'}" in capsys.readouterr().out
    (tmp_path / "traffic.csv").touch()
    assert table_file(options, common.Clock()) == tmp_path / "traffic.csv"


@pytest.mark.slow
def test_a_quick_run_leaves_its_figures_and_numbers_behind(tmp_path, monkeypatch):
    monkeypatch.delenv("JAXPLAIN_DATA", raising=False)
    # Optax raises a float to an integer power, which strict promotion refuses.
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        main(["--quick", "--out", str(tmp_path)])
    left = {"metrics.json", "traffic.png", "sensitivity.png"}
    assert {path.name for path in tmp_path.iterdir()} == left


# The chapter itself


@pytest.fixture(scope="module")
def metropolis():
    table = metro.prepare(DATA / "traffic.csv")
    return table, published.load(DATA, table)


@needs_chapter
@pytest.mark.slow
def test_the_printed_test_error_compares_with_training_targets(metropolis):
    forecasts = chapter.forecast(*metropolis, quick=False)
    errors, printed = forecasts.errors, published.PRINTED
    mistaken = errors["test_forecasts_against_last_training_targets"]
    assert mistaken["rows"][0] == 19272
    # As printed, to the last of four digits; float32 reorders sums on other machines.
    assert abs(errors["train"]["rmse"] - printed["train_rmse"]) < 1e-3
    assert abs(mistaken["rmse"] - printed["test_rmse"]) < 1e-3
    assert abs(mistaken["r2"] - printed["test_r2"]) < 1e-4
    # What the network really does on its test rows is much better.
    assert abs(errors["test"]["rmse"] - 359.0408) < 1e-3
    assert abs(errors["test"]["r2"] - 0.9658) < 1e-4


@needs_chapter
@pytest.mark.slow
def test_only_the_window_of_the_print_gives_the_holiday_exactly_nothing(metropolis):
    table, network = metropolis
    mean_week = explain.mean_window(table, series.split(len(table)).train)[0]
    drawn = chapter.maps(table, network, mean_week)
    described = chapter.describe(table, drawn)
    named = situations.metro(table)
    holiday = "largest_entry_of_the_holiday"
    for name, numbers in described["as_printed"].items():
        assert numbers["row"] == named[name] - 672 + 168
        assert numbers[holiday] == 0
        assert described["labelled"][name][holiday] > 20
        # Measured 0.797 and 0.814.
        assert 0.75 < numbers["correlation_with_the_labelled"] < 0.85
    # In vehicles/hour, of changes of thousands: 25 nodes suffice for this network.
    assert all(abs(m.gap) < 0.05 for group in drawn.values() for m in group)
