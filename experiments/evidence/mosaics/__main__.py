"""Train on photographs several times, and see which explainers find the class.

All photographs ship inside scikit-image: nothing is downloaded.
"""

from collections.abc import Sequence
from typing import Any

from experiments import common
from experiments.evidence import seeds as several
from experiments.evidence.mosaics import explain, figure, study
from experiments.pictures import data, model
from experiments.pictures import explain as pictures

NOTES = (
    "Relevance mass is the share of the positive attribution inside the quarter that "
    "holds the class; the pointing game, whether the highest attribution is there.",
    "Only mosaics where the network sees the class are explained, about half of them "
    "for the untrained twin.",
    "Intervals are Student's at 95 %, over seeds: other networks, and other mosaics of "
    "the same few photographs.",
    "The network and its training were chosen with held-out mosaics in view.",
)
COLUMNS = (
    ("relevance_mass", "mass"),
    ("relevance_mass_untrained", "untrained"),
    ("pointing_game", "pointing"),
    ("pointing_game_untrained", "untrained"),
)


def main(argv: Sequence[str] | None = None) -> None:
    """The benchmark, from the photographs to the figure."""
    options = several.parser("mosaics", __doc__).parse_args(argv)
    seeds, clock = several.chosen(options), common.Clock()
    clock.start("training a network for each seed")
    trained = [study.train(seed, options.quick, clock) for seed in seeds]
    clock.start("explaining")
    found = study.explained(trained, options.quick, clock)
    clock.start("measuring and drawing")
    numbers = {
        name: intervals(*places)
        for name, places in study.scores(trained, found).items()
    }
    folder = common.output_folder(options.out)
    drawing = figure.draw(trained[0], found, numbers, folder / "mosaics.png")
    clock.stop()

    metrics = {
        "experiment": "evidence.mosaics",
        **several.provenance(argv, "mosaics"),
        "seeds": seeds,
        "quick": options.quick,
        "notes": NOTES,
        "configuration": configuration(options.quick),
        "accuracy": several.interval([seed.accuracy for seed in trained]),
        "mosaics_of_each_seed": len(trained[0].regions),
        "by_chance": 1 / data.GRID**2,
        "explainers": numbers,
        "seconds": clock.seconds | {"total": round(clock.total(), 2)},
        "versions": common.versions(),
    }
    rows = [
        [name, *(several.cell(row[m]) if m in row else "" for m, _ in COLUMNS)]
        for name, row in numbers.items()
    ]
    common.print_table(["", *(title for _, title in COLUMNS)], rows)
    clock.say(f"wrote {drawing} and {common.write_metrics(folder, metrics)}")


def intervals(places: study.Places, twin: study.Places | None) -> dict[str, Any]:
    """Both measures with their intervals over seeds, and those of the untrained."""
    found = {k: several.interval(v) for k, v in places._asdict().items()}
    if twin is not None:
        found |= {
            f"{k}_untrained": several.interval(v) for k, v in twin._asdict().items()
        }
    return found


def configuration(quick: bool) -> dict[str, Any]:
    """Everything that the numbers depend on, besides the code and the seeds."""
    steps = model.QUICK_STEPS if quick else (model.TILE_STEPS, model.MOSAIC_STEPS)
    return {
        "classes": data.CLASSES,
        "steps_on_tiles": steps[0],
        "steps_on_mosaics": steps[1],
        "steps_of_integrated_gradients": pictures.STEPS,
        "superpixels": pictures.NUM_SUPERPIXELS,
        "coalitions": pictures.NUM_COALITIONS,
        "window": explain.WINDOW,
        "stride": explain.STRIDE,
        "masks_of_rise": explain.NUM_MASKS,
        "grid_of_rise": explain.GRID,
    }


if __name__ == "__main__":
    main()
