"""What drives the traffic forecast of an LSTM? Explanations against known drivers.

By default the series is generated from a documented process (`generate.py`), so that no
download is needed and the true drivers are known. Where the folder of `--data` has
`traffic.csv`, or with `--csv PATH`, the series is the Metro Interstate Traffic Volume
table of the UCI Machine Learning Repository. Where the folder also has the weights that
the author of the textbook chapter published, its network is explained as well.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from experiments import common
from experiments.traffic import (
    chapter,
    chapter_figure,
    checks,
    experiment,
    explain,
    generate,
    published,
    report,
    sensitivity,
    sensitivity_figure,
    vary,
)


def main(argv: Sequence[str] | None = None) -> None:
    parser = common.parser("traffic", __doc__)
    parser.add_argument(
        "--csv", type=Path, help="the UCI file; by default as in --data"
    )
    options = parser.parse_args(argv)
    clock, quick = common.Clock(), options.quick
    path = table_file(options, clock)

    clock.start("preparing the file" if path else "generating the series")
    try:
        setting = (
            experiment.metro_setting(path, options.seed, quick=quick)
            if path
            else experiment.generated_setting(options.seed, quick=quick)
        )
    except ValueError as error:  # of the user's making: the message says what to do
        parser.error(str(error))
    rows, columns = setting.table.inputs.shape
    clock.say(f"  {rows} hours, {columns} columns, {len(setting.split.test)} held out")

    clock.start("training the LSTM")
    studied = experiment.study(setting, options.seed, clock)
    scores = experiment.scores(studied)

    clock.start("explaining the forecaster")
    explanation = experiment.explain_forecaster(studied)
    found = checks.identities(explanation)
    process = exact = None
    if path is None:
        clock.start("explaining the process itself")
        process, exact = experiment.explain_process(studied)
        # The named situations were chosen as clear cases: only drawn windows count.
        drawn = slice(len(setting.named), None)
        found += checks.against_truth(
            studied.players,
            np.array(setting.conditions),
            jax.tree.map(lambda leaf: leaf[drawn], explanation),
            jax.tree.map(lambda leaf: leaf[drawn], process),
            exact[drawn],
        )
    else:
        found += checks.expected_signs(
            tuple(setting.named), studied.players.names, explanation.by_column
        )

    folder = common.output_folder(options.out)
    extra: dict[str, Any] = {}
    network = forecasts = None
    if path and chapter.available(options.data):
        clock.start("reproducing the chapter with its published network")
        network = published.load(options.data, setting.table)
        forecasts = chapter.forecast(setting.table, network, quick=quick)
        extra["published_network"] = _chapter(studied, network, forecasts, folder)

    clock.start("varying the conditions")
    if path is None:
        varied = vary.generated(studied, quick=quick)
        found += vary.against_truth(setting.factors.names, varied)
    else:
        varied, on_record = vary.metro(studied, network, forecasts, quick=quick)
        extra["share_of_conditions_on_record"] = on_record
    names = setting.factors.names
    extra["sensitivity"] = {
        title: sensitivity.describe(names, of_one) for title, of_one in varied.items()
    }

    clock.start("drawing")
    situations = report.situations(studied, explanation, process, exact)
    report.draw(studied, situations, folder / "traffic.png")
    unused = () if path else generate.DISTRACTORS
    sensitivity_figure.draw(varied, names, folder / "sensitivity.png", unused)
    clock.stop()

    report.print_scores(scores)
    report.print_columns(studied, explanation, exact)
    report.print_sensitivity(names, varied)
    report.print_checks(found, quick=quick)
    metrics = {
        "experiment": "traffic",
        "series": "Metro Interstate Traffic Volume" if path else "generated",
        "seed": options.seed,
        "quick": quick,
        **report.metrics(studied, scores, explanation, situations, found),
        **extra,
        "seconds": clock.seconds | {"total": round(clock.total(), 2)},
        "versions": common.versions(),
    }
    clock.say(f"wrote {common.write_metrics(folder, metrics)}, and figures beside it")


def table_file(options: Any, clock: common.Clock) -> Path | None:
    """The table to read, if there is one."""
    if options.csv or options.data is None:
        return options.csv
    path = options.data / "traffic.csv"
    if path.is_file():
        return path
    clock.say(f"no {path}: the series is generated")
    return None


def _chapter(
    studied: experiment.Studied,
    network: published.Network,
    forecasts: chapter.Forecasts,
    folder: Path,
) -> dict[str, Any]:
    """Explain the published network, draw, print, and return the numbers."""
    setting = studied.setting
    table, players = setting.table, studied.players
    mean_week = explain.mean_window(table, setting.split.train)[0]
    maps = chapter.maps(table, network, mean_week)
    shapley = chapter.shapley_values(table, network, setting.background, players)
    change = shapley.forecast - shapley.average
    gap = np.abs(shapley.values.sum(axis=1) - change).max()
    chapter_figure.draw(maps, table.columns, folder / "chapter.png")
    report.print_chapter(forecasts.errors, maps)
    return {
        "errors": forecasts.errors,
        "integrated_gradients": chapter.describe(table, maps),
        "shapley_values": {
            "average_forecast": shapley.average,
            "largest_efficiency_gap": float(gap),
            **{
                name: dict(zip(players.names, values.tolist(), strict=True))
                for name, values in zip(setting.named, shapley.values, strict=True)
            },
        },
    }


if __name__ == "__main__":
    main()
