"""What a run leaves behind: tables on the screen, numbers in a file, a figure."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments import common
from experiments.traffic import checks, experiment, explain, figure, generate
from experiments.traffic.series import WINDOW


def print_scores(scores: dict[str, dict[str, float]]) -> None:
    common.print_table(
        ("forecast of the held-out months", "RMSE, vehicles/hour", "R2"),
        [(name, f"{s['rmse']:.1f}", f"{s['r2']:.4f}") for name, s in scores.items()],
    )


def print_columns(
    studied: experiment.Studied,
    explanation: explain.Explanation,
    exact: np.ndarray | None,
) -> None:
    """KernelSHAP of the named situations, beside the truth where it is known."""
    named = list(studied.setting.named)
    header = ["KernelSHAP, vehicles/hour"]
    table = []
    for name in named:
        header += [name] if exact is None else [name, "true"]
    for i, player in enumerate(studied.players.names):
        cells = [player]
        for j in range(len(named)):
            cells.append(f"{explanation.by_column[j, i]:+.0f}")
            cells += [] if exact is None else [f"{exact[j, i]:+.0f}"]
        table.append(cells)
    common.print_table(header, table)


def print_checks(found: Sequence[checks.Check]) -> None:
    common.print_table(
        ("check", "measured", "wanted", ""),
        [
            (c.claim, f"{c.value:.3g}", c.wanted, "ok" if c.passed else "MISSED")
            for c in found
        ],
    )


def importance(
    players: Sequence[str], by_column: np.ndarray
) -> dict[str, dict[str, float]]:
    """Mean |KernelSHAP| over the sampled windows, with its standard error."""
    return {
        name: common.mean_and_error(np.abs(by_column[:, i]))
        for i, name in enumerate(players)
    }


def situations(
    studied: experiment.Studied,
    explanation: explain.Explanation,
    process: explain.Explanation | None,
    exact: np.ndarray | None,
) -> list[figure.Situation]:
    """The named situations, as the figure wants them."""
    table = studied.setting.table
    return [
        figure.Situation(
            name,
            f"{str(table.time[row]).replace('T', ' ')}:00",
            table.volume[row - WINDOW : row],
            table.volume[row],
            explanation.forecast[i],
            explanation.average[i],
            explanation.by_hour[i],
            explanation.by_day[i],
            explanation.by_column[i],
            None if process is None else process.by_day[i],
            None if exact is None else exact[i],
        )
        for i, (name, row) in enumerate(studied.setting.named.items())
    ]


def draw(
    studied: experiment.Studied, drawn: Sequence[figure.Situation], path: Path
) -> Path:
    known = drawn[0].true_by_column is not None
    unused = generate.DISTRACTORS if known else ()
    columns = studied.setting.table.columns
    return figure.draw(drawn, columns, studied.players.names, path, unused)


def describe(
    situation: figure.Situation, row: int, players: Sequence[str], gap: float
) -> dict[str, Any]:
    """One situation for `metrics.json`."""
    by_column = dict(zip(players, situation.by_column.tolist(), strict=True))
    found = {
        "row": row,
        "target": situation.when,
        "observed": situation.volume,
        "forecast": situation.forecast,
        "average_forecast": situation.average,
        "kernel_shap_by_column": by_column,
        "occlusion_by_day_earliest_first": situation.by_day,
        "integrated_gradients_sum": situation.by_hour.sum(),
        "integrated_gradients_completeness_gap": gap,
    }
    if situation.true_by_column is not None:
        true = dict(zip(players, situation.true_by_column.tolist(), strict=True))
        found["true_shapley_values"] = true
        found["true_occlusion_by_day"] = situation.true_by_day
    return found
