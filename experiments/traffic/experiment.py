"""The two settings, and what is done alike in both: train, score, explain."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import jax
import jax.random as jr
import numpy as np

from experiments import common
from experiments.traffic import (
    explain,
    factors,
    generate,
    metro,
    model,
    series,
    situations,
    truth,
)

PER_CONDITION = 3
QUICK_TRAINING = 250  # steps: enough to find the hour and the weekend
Scores = dict[str, dict[str, dict[str, float]]]  # by forecast, period and measure


class Setting(NamedTuple):
    """What differs between the generated series and the real one.

    `sampled` are the target rows explained besides the named ones, and `conditions`
    says which condition each of them meets, where that is known. `background` and
    `starts` are those of `explain.explainer`. `factors` are varied around the week
    before the row `reference`.
    """

    table: series.Table
    split: series.Split
    named: dict[str, int]
    sampled: np.ndarray
    conditions: tuple[str, ...]
    scales: tuple[model.Scale, model.Scale]
    together: dict[str, str]
    training: model.Training
    background: np.ndarray
    starts: np.ndarray
    steps: int
    factors: factors.Factors
    reference: int


class Studied(NamedTuple):
    """A trained forecaster, and what it is explained with."""

    setting: Setting
    forecaster: model.Forecaster
    players: explain.Players
    key: jax.Array


def generated_setting(seed: int, *, quick: bool = False) -> Setting:
    rng = np.random.default_rng(seed)
    table = generate.generate(seed)
    split = series.split(len(table))
    drawn = situations.sample(table, split.test, 1 if quick else PER_CONDITION, rng)
    background = explain.background(table, split.train, rng, 4 if quick else 24)
    named = situations.generated(table, split.test)
    num_steps = QUICK_TRAINING if quick else 2000
    scales = (
        model.standard(table.inputs[split.train]),
        model.standard(table.volume[split.train]),
    )
    return Setting(
        table,
        split,
        named,
        np.concatenate(list(drawn.values())),
        tuple(name for name, rows in drawn.items() for _ in rows),
        scales,
        {"hour_sin": "hour", "hour_cos": "hour"},
        model.Training(num_units=32, num_steps=num_steps, learning_rate=1e-2),
        background,
        background,
        steps=32 if quick else 128,
        factors=factors.generated(table),
        reference=named["Peak morning"],
    )


def metro_setting(path: str | Path, seed: int, *, quick: bool = False) -> Setting:
    rng = np.random.default_rng(seed)
    table = metro.prepare(path)
    split = series.split(len(table))
    weather = {name: "weather" for name in table.columns if name.startswith("weather_")}
    names = {
        "dow": "weekday",
        "hr": "hour",
        "temp": "temperature",
        "rain_1h": "rain",
        "cloud_coverage": "clouds",
        "is_holiday": "holiday",
    }
    sampled = rng.choice(split.test, 3 if quick else 24, replace=False)
    named = situations.metro(table)
    num_steps = QUICK_TRAINING if quick else 3000
    return Setting(
        table,
        split,
        named,
        np.sort(sampled),
        (),
        # The ranges of the whole table, held-out months included, as the chapter has
        # them: training sees no later volume, but how large the volumes become.
        (model.min_max(table.inputs), model.min_max(table.volume)),
        names | weather,
        model.Training(num_units=48, num_steps=num_steps, learning_rate=5e-3),
        explain.background(table, split.train, rng, 4 if quick else 24),
        explain.mean_window(table, split.train),
        steps=64 if quick else 512,
        factors=factors.metro(table),
        # Its week has no holiday.
        reference=named["Hot Saturday"],
    )


def study(setting: Setting, seed: int, clock: common.Clock) -> Studied:
    """Train a forecaster, and draw what it is explained against."""
    table, split = setting.table, setting.split
    train_key, explain_key = jr.split(jr.key(seed))

    def report(step: int, forecaster: model.Forecaster) -> None:
        predicted = model.predict(table.inputs, split.valid, forecaster)
        rmse = model.score(predicted, table.volume[split.valid])["rmse"]
        clock.say(f"  step {step:4d}: validation RMSE {rmse:5.1f} vehicles/hour")

    forecaster = model.train(
        table.inputs,
        table.volume,
        split.train,
        setting.scales,
        setting.training,
        train_key,
        report,
    )
    return Studied(
        setting,
        forecaster,
        explain.players(table.columns, setting.together),
        explain_key,
    )


def scores(studied: Studied) -> Scores:
    """Accuracy on the held-out periods, next to forecasts that need no network.

    Nothing was chosen on the validation period, so both are honest.
    """
    table, split = studied.setting.table, studied.setting.split
    forecasts = {
        "LSTM": lambda rows: model.predict(table.inputs, rows, studied.forecaster),
        "mean of the hour of the week": lambda rows: series.hour_of_week_mean(
            table, split.train, rows
        ),
        "same hour, last week": lambda rows: table.volume[rows - series.WINDOW],
    }
    return {
        name: {
            period: model.score(forecast(rows), table.volume[rows])
            for period, rows in (("validation", split.valid), ("test", split.test))
        }
        for name, forecast in forecasts.items()
    }


def rows(setting: Setting) -> np.ndarray:
    """The target rows to explain: the named ones, then the sampled ones."""
    return np.concatenate([list(setting.named.values()), setting.sampled])


def _explainer(
    studied: Studied, f: Callable[..., jax.Array]
) -> Callable[..., explain.Explanation]:
    setting = studied.setting
    return explain.explainer(
        f,
        setting.background,
        setting.starts,
        studied.players,
        studied.key,
        steps=setting.steps,
    )


def explain_forecaster(studied: Studied) -> explain.Explanation:
    """Explanations of the forecaster for `rows`."""
    explainer = _explainer(studied, model.forecast)
    stack = series.windows(studied.setting.table.inputs, rows(studied.setting))
    return jax.tree.map(np.asarray, explainer(stack, studied.forecaster))


def explain_process(studied: Studied) -> tuple[explain.Explanation, np.ndarray]:
    """The same of the generating process, and its exact Shapley values."""
    explainer = _explainer(studied, generate.process)
    stack = series.windows(studied.setting.table.inputs, rows(studied.setting))
    exact = truth.true_shapley_values(
        generate.process, stack, studied.setting.background, studied.players.labels
    )
    return jax.tree.map(np.asarray, explainer(stack)), exact
