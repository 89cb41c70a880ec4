"""Train on photographs, explain held-out mosaics of them, measure, draw.

All photographs ship inside scikit-image: nothing is downloaded.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from experiments import common
from experiments.pictures import data, explain, figure, measure, model, scene, study

NUM_HELD_OUT = 1000  # mosaics for the accuracy
DRAWN = ("brick", "gravel", "face")  # classes in the figure
NOT_DRAWN = (explain.SMOOTH_IG,)  # hardly to be told from what it smooths

# Measure, its name in the table, and its decimal places.
COLUMNS = (
    ("share_inside", "share inside", 2),
    ("share_inside_untrained", "untrained", 2),
    ("pointing_game", "pointing", 2),
    ("absolute_completeness_gap", "|gap|", 3),
    ("deletion_area", "deletion", 2),
    ("insertion_area", "insertion", 2),
)

NOTES = (
    "Shares are of the positive attribution; areas and gaps are in log-odds.",
    "Standard errors are over mosaics drawn from the same held-out photographs; they "
    "do not say how other photographs would turn out.",
    "Faces on the two sides are different pictures, perhaps of the same person: their "
    "names are not in the file.",
    "Pictures have different numbers of superpixels. The gap of Kernel SHAP is the "
    "noise of the players that only pad the smaller ones, and that no map shows.",
    "Only mosaics where the model sees the class are explained.",
    "The windows of the portrait overlap: they are one photograph.",
    "No third part was set aside: the network and its training were chosen with "
    "held-out mosaics and the portrait in view.",
)


def main(argv: Sequence[str] | None = None) -> None:
    """The experiment, from the photographs to the figure."""
    options = common.parser("pictures", __doc__).parse_args(argv)
    rng, clock = np.random.default_rng(options.seed), common.Clock()

    clock.start("reading and cutting the photographs")
    train, held_out = data.sources("train"), data.sources("held_out")

    clock.start("training the network")
    untrained = model.initial(options.seed)
    steps = (
        model.QUICK_STEPS if options.quick else (model.TILE_STEPS, model.MOSAIC_STEPS)
    )
    params = model.train(rng, untrained, train, clock.say, steps)
    kinds = data.random_kinds(rng, (NUM_HELD_OUT, data.GRID, data.GRID))
    seen, unseen = (data.draw_mosaics(rng, kinds, side) for side in (train, held_out))
    accuracy = {
        "training": model.accuracy(params, seen),
        "held_out": model.accuracy(params, unseen),
    }
    clock.say(f"held-out accuracy: {accuracy['held_out']['mean']:.3f}")

    clock.start("explaining mosaics and a portrait")
    # The mean of the training pictures: it says nothing of any class, and the model has
    # met it, for some tiles were blank.
    baseline = float(seen.images.mean())
    per_class = study.QUICK_PER_CLASS if options.quick else study.PER_CLASS
    key = jax.random.key(options.seed)
    pictures = study.choose(rng, params, held_out, key, per_class)
    found = study.explain_pictures(pictures, params, untrained, baseline, clock)

    clock.start("measuring the explanations")
    numbers = study.report(pictures, found, params, baseline, rng)

    clock.start("drawing")
    folder = common.output_folder(options.out)
    drawing = figure.draw(rows(pictures, found), folder / "pictures.png")
    clock.stop()

    blank = np.full((data.SIZE, data.SIZE), baseline, np.float32)
    windows = slice(pictures.num_mosaics, None)
    metrics = {
        "experiment": "pictures",
        "seed": options.seed,
        "notes": NOTES,
        "quick": options.quick,
        "configuration": configuration(steps, pictures),
        "accuracy": accuracy,
        "mosaics_recognised": pictures.recognised,
        "windows_recognised": float((pictures.log_odds[windows] > 0).mean()),
        "baseline": {
            "grey_level": baseline,
            "log_odds": by_class(np.asarray(model.CNN().apply(params, blank))),
        },
        "share_by_chance": {
            "mosaics": 1 / data.GRID**2,
            "portrait": float(pictures.regions[windows].mean()),
        },
        "explainers": numbers,
        "seconds": clock.seconds | {"total": round(clock.total(), 2)},
        "versions": common.versions(),
    }
    header = ("", *(name for _, name, _ in COLUMNS))
    common.print_table(header, [cells(*item) for item in numbers.items()])
    clock.say(f"wrote {drawing} and {common.write_metrics(folder, metrics)}")


def rows(
    pictures: study.Pictures, found: Mapping[str, study.Findings]
) -> list[figure.Row]:
    """The first mosaic of some classes, and the window where the face is clearest."""
    n = pictures.num_mosaics
    per_class = n // len(data.CLASSES)
    chosen = [per_class * data.CLASSES.index(name) for name in DRAWN]
    chosen.append(n + int(pictures.log_odds[n:].argmax()))
    seen = pictures.log_odds[n:].max() > 0
    names = [*DRAWN, "face, portrait" if seen else "portrait, no face seen"]
    shares = {
        name: measure.share_inside(result.maps, pictures.regions)
        for name, result in found.items()
    }
    return [
        figure.Row(
            name,
            pictures.examples.images[i],
            pictures.regions[i],
            {k: r.maps[i] for k, r in found.items() if k not in NOT_DRAWN},
            {k: float(values[i]) for k, values in shares.items()},
        )
        for name, i in zip(names, chosen, strict=True)
    ]


def cells(name: str, numbers: Mapping[str, Any]) -> list[str]:
    """One row of the table: means, with their standard errors."""
    found = [(numbers.get(measure), places) for measure, _, places in COLUMNS]
    return [
        name,
        *(
            f"{x['mean']:.{places}f} ± {x['standard_error']:.{places}f}" if x else ""
            for x, places in found
        ),
    ]


def by_class(values: np.ndarray) -> dict[str, float]:
    """One number per class, by its name."""
    return dict(zip(data.CLASSES, values.tolist(), strict=True))


def configuration(steps: tuple[int, int], pictures: study.Pictures) -> dict[str, Any]:
    """Everything that the numbers depend on, besides the code and the seed."""
    return {
        "classes": data.CLASSES,
        "textures_and_their_shrinking": data.TEXTURES,
        "photographs_of_no_class": data.OTHERS,
        "faces": "lfw_subset.npy",
        "portrait": "astronaut.png",
        "training_columns_of_each_photograph": data.TRAIN_COLUMNS,
        "training_faces_of_100": data.TRAIN_FACES,
        "tile": data.TILE,
        "grid": data.GRID,
        "steps_on_tiles": steps[0],
        "steps_on_mosaics": steps[1],
        "mosaics_explained": pictures.num_mosaics,
        "windows_of_the_portrait": len(scene.TOPS) * len(scene.LEFTS),
        "integrated_gradients": {"steps": explain.STEPS},
        "smoothed_integrated_gradients": {
            "std": explain.NOISE,
            "num_samples": explain.NUM_NOISY,
            "steps": explain.NOISY_STEPS,
        },
        "superpixels": explain.NUM_SUPERPIXELS,
        "coalitions": explain.NUM_COALITIONS,
        "steps_of_deletion_and_insertion": measure.CURVE_STEPS,
    }


if __name__ == "__main__":
    main()
