"""Plant a shortcut, train it away by explanations, and see which explainers find it."""

from collections.abc import Sequence
from typing import Any

from experiments import common
from experiments.evidence import seeds as several
from experiments.evidence.shortcut import data, explain, figure, model, study

NOTES = (
    "The share is that of the positive attribution in the strip that holds the mark, "
    "of held-out pictures with the right mark.",
    "Told apart: the chance that the share is larger for the plain network than for "
    "the one that was trained with random marks.",
    "Intervals are Student's at 95 %, over seeds: other splits, marks, noise and "
    "initial weights.",
    "The prices of the penalties were chosen on seed 100, by the accuracy with wrong "
    "marks; the digits are the same for all seeds.",
)


def main(argv: Sequence[str] | None = None) -> None:
    """The benchmark, from the digits to the figure."""
    options = several.parser("shortcut", __doc__).parse_args(argv)
    seeds, clock = several.chosen(options), common.Clock()
    found = []
    for seed in seeds:
        clock.start(f"seed {seed}: training and explaining")
        found.append(study.run(seed, options.data, options.quick))
    clock.start("measuring and drawing")
    numbers = together(found)
    folder = common.output_folder(options.out)
    drawing = figure.draw(found[0], numbers, folder / "shortcut.png")
    clock.stop()
    metrics = {
        "experiment": "evidence.shortcut",
        **several.provenance(argv, "shortcut"),
        "seeds": seeds,
        "quick": options.quick,
        "notes": NOTES,
        "configuration": configuration(options.quick),
        "data": found[0].source,
        **numbers,
        "seconds": clock.seconds | {"total": round(clock.total(), 2)},
        "versions": common.versions(),
    }
    show(numbers)
    clock.say(f"wrote {drawing} and {common.write_metrics(folder, metrics)}")


def together(found: Sequence[study.Findings]) -> dict[str, Any]:
    """Means and intervals over seeds."""
    mask = data.strip(found[0].images["right"].shape[0])
    return {
        "area": float(mask.mean()),
        "accuracy": {
            way: {
                mark: several.interval([seed.accuracy[way][mark] for seed in found])
                for mark in data.MARKS
            }
            for way in study.WAYS
        },
        "explainers": {
            name: {
                "told_apart": several.interval(
                    [seed.told_apart[name] for seed in found]
                ),
                "shares": {
                    way: several.interval([seed.shares[name][way] for seed in found])
                    for way in study.WAYS
                },
            }
            for name in found[0].shares
        },
    }


def show(numbers: dict[str, Any]) -> None:
    rows = [
        [way, *(several.cell(row[mark]) for mark in data.MARKS)]
        for way, row in numbers["accuracy"].items()
    ]
    common.print_table(["accuracy", *(f"mark {m}" for m in data.MARKS)], rows)
    rows = [
        [
            name,
            several.cell(row["told_apart"]),
            *(several.cell(row["shares"][way]) for way in study.WAYS),
        ]
        for name, row in numbers["explainers"].items()
    ]
    common.print_table(["share in the strip", "told apart", *study.WAYS], rows)


def configuration(quick: bool) -> dict[str, Any]:
    """Everything that the numbers depend on, besides the code and the seeds."""
    return {
        "noise": data.NOISE,
        "steps": model.QUICK_STEPS if quick else model.STEPS,
        "batch": model.BATCH,
        "rate": model.RATE,
        "price_of_right_reasons": model.REASONS,
        "price_of_expected_gradients": model.EXPECTED,
        "explained": study.QUICK_EXPLAINED if quick else study.NUM_EXPLAINED,
        "steps_of_integrated_gradients": explain.STEPS,
        "samples": explain.NUM_SAMPLES,
        "masks_of_rise": explain.NUM_MASKS,
        "cell": explain.CELL,
    }


if __name__ == "__main__":
    main()
