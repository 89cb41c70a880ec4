"""The two settings, and what is done alike in both: train, score, explain."""

from typing import NamedTuple

import jax
import jax.random as jr
import numpy as np

from experiments import common
from experiments.traffic import (
    explain,
    generate,
    metro,
    model,
    series,
    situations,
    truth,
)

PER_CONDITION = 3


class Setting(NamedTuple):
    """What differs between the generated series and the real one.

    `sampled` are the target rows explained besides the named ones, and `conditions`
    says which condition each of them meets, where that is known.
    """

    table: series.Table
    split: series.Split
    named: dict[str, int]
    sampled: np.ndarray
    conditions: tuple[str, ...]
    scales: tuple[model.Scale, model.Scale]
    together: dict[str, str]
    training: model.Training


class Studied(NamedTuple):
    """A trained forecaster, and what it is explained with."""

    setting: Setting
    forecaster: model.Forecaster
    players: explain.Players
    background: np.ndarray
    key: jax.Array


def generated_setting(seed: int) -> Setting:
    table = generate.generate(seed)
    split = series.split(len(table))
    drawn = situations.sample(
        table, split.test, PER_CONDITION, np.random.default_rng(seed)
    )
    scales = (
        model.standard(table.inputs[split.train]),
        model.standard(table.volume[split.train]),
    )
    return Setting(
        table,
        split,
        situations.generated(table, split.test),
        np.concatenate(list(drawn.values())),
        tuple(name for name, rows in drawn.items() for _ in rows),
        scales,
        {"hour_sin": "hour", "hour_cos": "hour"},
        model.Training(num_units=32, num_steps=2000, learning_rate=1e-2),
    )


def metro_setting(path: str, seed: int) -> Setting:
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
    sampled = np.random.default_rng(seed).choice(split.test, 24, replace=False)
    return Setting(
        table,
        split,
        situations.metro(table),
        np.sort(sampled),
        (),
        # The ranges of the whole table, held-out months included, as the chapter has
        # them: training sees no later volume, but how large the volumes become.
        (model.min_max(table.inputs), model.min_max(table.volume)),
        names | weather,
        model.Training(num_units=48, num_steps=3000, learning_rate=5e-3),
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
        explain.background(table, split.train, np.random.default_rng(seed)),
        explain_key,
    )


def scores(studied: Studied) -> dict[str, dict[str, float]]:
    """Accuracy on the held-out months, next to forecasts that need no network."""
    table, split = studied.setting.table, studied.setting.split
    predicted = {
        "LSTM": model.predict(table.inputs, split.test, studied.forecaster),
        "mean of the hour of the week": series.hour_of_week_mean(
            table, split.train, split.test
        ),
        "same hour, last week": table.volume[split.test - series.WINDOW],
    }
    return {
        name: model.score(values, table.volume[split.test])
        for name, values in predicted.items()
    }


def rows(setting: Setting) -> np.ndarray:
    """The target rows to explain: the named ones, then the sampled ones."""
    return np.concatenate([list(setting.named.values()), setting.sampled])


def explain_forecaster(studied: Studied) -> explain.Explanation:
    """Explanations of the forecaster for `rows`."""
    explainer = explain.explainer(
        model.forecast, studied.background, studied.players, studied.key
    )
    stack = series.windows(studied.setting.table.inputs, rows(studied.setting))
    return jax.tree.map(np.asarray, explainer(stack, studied.forecaster))


def explain_process(studied: Studied) -> tuple[explain.Explanation, np.ndarray]:
    """The same of the generating process, and its exact Shapley values."""
    explainer = explain.explainer(
        generate.process, studied.background, studied.players, studied.key
    )
    stack = series.windows(studied.setting.table.inputs, rows(studied.setting))
    exact = truth.true_shapley_values(
        generate.process, stack, studied.background, studied.players.labels
    )
    return jax.tree.map(np.asarray, explainer(stack)), exact
