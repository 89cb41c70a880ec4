"""Which conditions matter: of a made-up day, and of the most similar hour on record."""

from collections.abc import Callable
from typing import Any

import jax
import jax.random as jr
import numpy as np

from experiments.traffic import (
    chapter,
    checks,
    experiment,
    factors,
    generate,
    model,
    published,
    sensitivity,
)
from experiments.traffic.series import WINDOW

Found = dict[str, sensitivity.Sensitivity]
QUICK = sensitivity.Size(num_trajectories=20, num_samples=64)
PROCESS, LSTM, RECORD = "Made-up days, process", "Made-up days, LSTM", "Similar hours"


def generated(studied: experiment.Studied, *, quick: bool) -> Found:
    """Of the process and of the forecaster; and of the process, by way of the record.

    The process on record is noiseless and learnt by nobody. Whatever the record gives
    to a column without effect comes from the record.
    """
    setting = studied.setting
    table, rows = setting.table, setting.split.train
    volumes = np.asarray(generate.expected_volumes(table.inputs))[rows - WINDOW]
    record = factors.record(table, rows, volumes)
    of_scenarios, of_record = _by_both(studied, quick)
    return {
        PROCESS: of_scenarios(generate.process),
        LSTM: of_scenarios(model.forecast, studied.forecaster),
        f"{RECORD}, process": of_record(record),
    }


def metro(
    studied: experiment.Studied,
    network: published.Network | None,
    forecasts: chapter.Forecasts | None,
    *,
    quick: bool,
) -> tuple[Found, float]:
    """Of the published network where there is one, and of ours otherwise.

    Also how many of all conditions have an hour on record that is alike.
    """
    setting = studied.setting
    table = setting.table
    if network is None or forecasts is None:
        f, learnt = model.forecast, studied.forecaster
        rows = setting.split.test if quick else setting.split.train
        volumes = model.predict(table.inputs, rows, learnt)
    else:
        f, learnt = published.forecast, network
        rows, volumes, _ = forecasts
    record = factors.record(table, rows, volumes)
    of_scenarios, of_record = _by_both(studied, quick)
    found = {"Made-up days": of_scenarios(f, learnt), RECORD: of_record(record)}
    return found, sensitivity.share_on_record(setting.factors, record, studied.key)


def _by_both(
    studied: experiment.Studied, quick: bool
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    setting, key = studied.setting, jr.fold_in(studied.key, 1)
    size = QUICK if quick else sensitivity.Size()
    week = factors.reference(setting.table, setting.reference)

    def of_scenarios(f: Callable[..., jax.Array], *args: Any) -> Any:
        return sensitivity.of_scenarios(f, setting.factors, week, key, *args, size=size)

    def of_record(record: factors.Record) -> Any:
        return sensitivity.of_record(setting.factors, record, key, size=size)

    return of_scenarios, of_record


def against_truth(names: tuple[str, ...], found: Found) -> list[checks.Check]:
    """What is known of the generated process, against what was found."""
    ignored = [names.index(name) for name in generate.DISTRACTORS]
    process, lstm, record = found.values()
    return [
        checks.at_most(
            "the library on the process: largest index of a distractor",
            process.total[ignored].max(),
            1e-9,
        ),
        checks.at_most(
            "made-up days: largest error of the LSTM's total indices",
            np.abs(lstm.total - process.total).max(),
            0.1,
        ),
        checks.at_least(
            "similar hours blame what has no effect: largest index of a distractor",
            record.total[ignored].max(),
            0.01,
        ),
    ]
