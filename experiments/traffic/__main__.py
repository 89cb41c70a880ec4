"""What drives the traffic forecast of an LSTM? Explanations against known drivers.

By default the series is generated from a documented process (`generate.py`), so that no
download is needed and the true drivers are known. With `--csv PATH` the series is the
Metro Interstate Traffic Volume table of the UCI Machine Learning Repository.
"""

from collections.abc import Sequence

import jax
import numpy as np

from experiments import common
from experiments.traffic import checks, experiment, report


def main(argv: Sequence[str] | None = None) -> None:
    parser = common.parser("traffic", __doc__)
    parser.add_argument("--csv", help="the UCI file; by default a series is generated")
    options = parser.parse_args(argv)
    clock = common.Clock()
    known = options.csv is None

    clock.start("generating the series" if known else "preparing the file")
    try:
        setting = (
            experiment.generated_setting(options.seed)
            if known
            else experiment.metro_setting(options.csv, options.seed)
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
    if known:
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

    clock.start("drawing")
    folder = common.output_folder(options.out)
    situations = report.situations(studied, explanation, process, exact)
    figure = report.draw(studied, situations, folder / "traffic.png")
    clock.stop()

    report.print_scores(scores)
    report.print_columns(studied, explanation, exact)
    report.print_checks(found)
    metrics = {
        "experiment": "traffic",
        "series": "generated" if known else "Metro Interstate Traffic Volume",
        "seed": options.seed,
        **report.metrics(studied, scores, explanation, situations, found),
        "seconds": clock.seconds | {"total": round(clock.total(), 2)},
        "versions": common.versions(),
    }
    clock.say(f"wrote {figure} and {common.write_metrics(folder, metrics)}")


if __name__ == "__main__":
    main()
