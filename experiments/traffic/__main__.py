"""What drives the traffic forecast of an LSTM? Explanations against known drivers.

By default the series is generated from a documented process (`generate.py`), so that no
download is needed and the true drivers are known. With `--csv PATH` the series is the
Metro Interstate Traffic Volume table of the UCI Machine Learning Repository.
"""

from collections.abc import Sequence

import numpy as np

from experiments import common
from experiments.traffic import checks, experiment, report


def main(argv: Sequence[str] | None = None) -> None:
    parser = common.parser("traffic", __doc__)
    parser.add_argument("--csv", help="the UCI file; by default a series is generated")
    options = parser.parse_args(argv)
    clock = common.Clock()
    folder = common.output_folder(options.out)

    known = options.csv is None
    clock.start("generating the series" if known else f"preparing {options.csv}")
    if known:
        setting = experiment.generated_setting(options.seed)
    else:
        setting = experiment.metro_setting(options.csv, options.seed)
    rows, columns = setting.table.inputs.shape
    clock.say(f"  {rows} hours, {columns} columns, {len(setting.split.test)} held out")

    clock.start("training the LSTM")
    studied = experiment.study(setting, options.seed, clock)
    scores = experiment.scores(studied)

    clock.start("explaining the forecaster")
    explanation = experiment.explain_forecaster(studied)
    found = checks.identities(explanation)
    process = exact = None
    if known:
        clock.start("explaining the process itself")
        process, exact = experiment.explain_process(studied)
        # The named situations are chosen for their looks: only drawn windows count.
        drawn = slice(len(setting.named), None)
        found += checks.against_truth(
            studied.players,
            np.array(setting.conditions),
            *(type(e)(*(leaf[drawn] for leaf in e)) for e in (explanation, process)),
            exact[drawn],
        )

    clock.start("drawing")
    situations = report.situations(studied, explanation, process, exact)
    figure = report.draw(studied, situations, folder / "traffic.png")
    clock.stop()

    report.print_scores(scores)
    report.print_columns(studied, explanation, exact)
    report.print_checks(found)
    players = studied.players.names
    metrics = common.write_metrics(
        folder,
        {
            "experiment": "traffic",
            "series": "generated" if known else "Metro Interstate Traffic Volume",
            "seed": options.seed,
            "configuration": setting.training._asdict()
            | {"rows": rows, "columns": columns, "background": len(studied.background)},
            "scores_on_held_out_months": scores,
            "situations": {
                s.name: report.describe(s, row, players, gap)
                for s, row, gap in zip(
                    situations,
                    setting.named.values(),
                    explanation.completeness_gap,
                )
            },
            "mean_absolute_kernel_shap": report.importance(
                players, explanation.by_column[len(setting.named) :]
            ),
            "checks": [check._asdict() for check in found],
            "seconds": clock.seconds | {"total": round(clock.total(), 2)},
            "versions": common.versions(),
        },
    )
    clock.say(f"wrote {figure} and {metrics}")


if __name__ == "__main__":
    main()
