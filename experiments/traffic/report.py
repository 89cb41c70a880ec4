"""What a run leaves behind: tables on the screen, numbers in a file, a figure."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments import common
from experiments.traffic import (
    chapter,
    checks,
    experiment,
    explain,
    figure,
    generate,
    sensitivity,
)
from experiments.traffic.series import WINDOW


def print_scores(scores: experiment.Scores) -> None:
    periods = ("validation", "test")
    common.print_table(
        ("RMSE, vehicles/hour (R2)", *periods),
        [
            (name, *(f"{s[p]['rmse']:.1f} ({s[p]['r2']:.3f})" for p in periods))
            for name, s in scores.items()
        ],
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


def print_sensitivity(
    names: Sequence[str], found: dict[str, sensitivity.Sensitivity]
) -> None:
    """Total Sobol indices, with their standard errors."""
    rows = []
    for i, name in enumerate(names):
        cells = [f"{s.total[i]:.3f} ± {s.total_error[i]:.3f}" for s in found.values()]
        rows.append((name, *cells))
    common.print_table(("total Sobol index", *found), rows)


def print_chapter(errors: dict[str, Any], maps: dict[str, list[chapter.Map]]) -> None:
    """The published network: its errors, and what its maps explain."""
    show = lambda s: f"{s['rmse']:.4f} ({s['r2']:.4f})"
    printed = errors["printed"]
    wrong = errors["test_forecasts_against_last_training_targets"]
    train = show(errors["train"]) if "train" in errors else "left out by --quick"
    both = f"{printed['test_rmse']:.4f} ({printed['test_r2']:.4f})"
    common.print_table(
        ("the published network: RMSE (R2)", "here", "printed"),
        [
            ("training", train, f"{printed['train_rmse']:.4f}"),
            ("test", show(errors["test"]), both),
            ("test, against the last training targets", show(wrong), ""),
        ],
    )
    common.print_table(
        ("integrated gradients, 25 steps", "target", "forecast", "gap", "hours"),
        [
            (
                f"{m.name}, {kind}",
                str(m.hours[-1]),
                f"{m.forecast:.0f}",
                f"{m.gap:.4f}",
                f"{len(m.past) - m.first}",
            )
            for kind, drawn in maps.items()
            for m in drawn
        ],
    )


def print_checks(found: Sequence[checks.Check], *, quick: bool) -> None:
    title = "check, of which a quick run may miss some" if quick else "check"
    common.print_table(
        (title, "measured", "wanted", ""),
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
            float(table.volume[row]),
            float(explanation.forecast[i]),
            float(explanation.average[i]),
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


def metrics(
    studied: experiment.Studied,
    scores: experiment.Scores,
    explanation: explain.Explanation,
    drawn: Sequence[figure.Situation],
    found: Sequence[checks.Check],
) -> dict[str, Any]:
    """All numbers of a run for `metrics.json`; vehicles/hour unless they are shares."""
    setting, players = studied.setting, studied.players.names
    rows, columns = setting.table.inputs.shape
    return {
        "configuration": {
            **setting.training._asdict(),
            "rows": rows,
            "columns": columns,
            "background_windows": len(setting.background),
            "integrated_gradients_steps": setting.steps,
            "integrated_gradients_starts": len(setting.starts),
        },
        "scores_on_held_out_months": scores,
        "situations": {
            situation.name: {
                "row": row,
                **_describe(situation, players),
                "integrated_gradients_start": explanation.start[i],
                "integrated_gradients_completeness_gap": explanation.completeness_gap[
                    i
                ],
            }
            for i, (situation, row) in enumerate(
                zip(drawn, setting.named.values(), strict=True)
            )
        },
        "mean_absolute_kernel_shap": importance(
            players, explanation.by_column[len(setting.named) :]
        ),
        "checks": [check._asdict() for check in found],
    }


def _describe(situation: figure.Situation, players: Sequence[str]) -> dict[str, Any]:
    by_player = lambda values: dict(zip(players, values.tolist(), strict=True))
    described = {
        "target": situation.when,
        "observed": situation.volume,
        "forecast": situation.forecast,
        "average_forecast": situation.average,
        "kernel_shap_by_column": by_player(situation.by_column),
        "occlusion_by_day_earliest_first": situation.by_day,
        "integrated_gradients_by_column": situation.by_hour.sum(axis=0),
    }
    if situation.true_by_column is not None:
        described["true_shapley_values"] = by_player(situation.true_by_column)
        described["true_occlusion_by_day"] = situation.true_by_day
    return described
