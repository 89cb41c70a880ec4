"""Train on photographs, explain held-out mosaics of them, measure, draw.

Run as `python -m experiments.photographs`. Nothing is downloaded.
"""

from typing import Any

import jax
import numpy as np

from experiments import common

from . import data, explain, figure, measure, model, scene, study

NUM_HELD_OUT = 1000  # mosaics for the accuracy
COLUMNS = {
    "share inside": 2,
    "share inside, untrained model": 2,
    "pointing game": 2,
    "absolute completeness gap": 3,
    "deletion area": 2,
    "insertion area": 2,
}


def main() -> None:
    """The experiment, from the photographs to the figure."""
    options = common.parser("photographs", __doc__).parse_args()
    folder = common.output_folder(options.out)
    rng, clock = np.random.default_rng(options.seed), common.Clock()

    clock.start("read and cut the photographs")
    train, held_out = data.sources("train"), data.sources("held_out")

    clock.start("train")
    untrained = model.initial(options.seed)
    params = model.train(rng, untrained, train, clock.say)
    kinds = data.random_kinds(rng, (NUM_HELD_OUT, data.GRID, data.GRID))
    seen, unseen = (data.draw_mosaics(rng, kinds, s) for s in (train, held_out))
    accuracy = {
        "training side": model.accuracy(params, seen),
        "held-out side": model.accuracy(params, unseen),
    }
    clock.say(f"held-out accuracy: {accuracy['held-out side']['mean']:.3f}")

    clock.start("explain")
    # The mean of the training pictures says nothing of any class, and the model has
    # met it: some of its tiles were blank.
    baseline = float(seen.images.mean())
    pictures = study.choose(rng, params, held_out, jax.random.key(options.seed))
    found = study.explain_pictures(pictures, params, untrained, baseline, clock)

    clock.start("measure")
    numbers = study.report(pictures, found, params, baseline, rng, clock.say)

    clock.start("draw")
    drawing = figure.draw(rows(pictures, found), folder / "photographs.png")
    clock.stop()

    blank = np.full((data.SIZE, data.SIZE), baseline, np.float32)
    metrics = {
        "configuration": configuration(options.seed),
        "accuracy": accuracy,
        "recognised mosaics": pictures.recognised,
        "recognised windows of the portrait": float(
            (pictures.log_odds[pictures.num_mosaics :] > 0).mean()
        ),
        "baseline": {
            "grey level": baseline,
            "log-odds": dict(
                zip(data.CLASSES, model.CNN().apply(params, blank).tolist())
            ),
        },
        "chance": {
            "mosaics": 1 / data.GRID**2,
            "portrait": float(pictures.regions[-1].mean()),
        },
        "explainers": numbers,
        "seconds": clock.seconds | {"total": round(clock.total(), 1)},
        "versions": common.versions(),
    }
    path = common.write_metrics(folder, metrics)
    common.print_table(("", *COLUMNS), [cells(*item) for item in numbers.items()])
    clock.say(f"wrote {drawing} and {path}")


def rows(pictures: study.Pictures, found: Any) -> list[figure.Row]:
    """The first mosaic of each class, and the window where the face is clearest."""
    n = pictures.num_mosaics
    chosen = [*range(0, n, study.PER_CLASS), n + int(pictures.log_odds[n:].argmax())]
    names = [*data.CLASSES, "face, portrait"]
    shares = {
        name: measure.share_inside(result.maps, pictures.regions)
        for name, result in found.items()
    }
    return [
        figure.Row(
            name,
            pictures.examples.images[i],
            pictures.regions[i],
            {k: result.maps[i] for k, result in found.items()},
            {k: float(values[i]) for k, values in shares.items()},
        )
        for name, i in zip(names, chosen, strict=True)
    ]


def cells(name: str, numbers: dict[str, Any]) -> list[str]:
    """One row of the table: means, with their standard errors."""
    found = [numbers.get(column) for column in COLUMNS]
    return [
        name,
        *(
            f"{x['mean']:.{places}f} ± {x['standard_error']:.{places}f}" if x else ""
            for x, places in zip(found, COLUMNS.values(), strict=True)
        ),
    ]


def configuration(seed: int) -> dict[str, Any]:
    """Everything that the numbers depend on, besides the code."""
    return {
        "seed": seed,
        "classes": data.CLASSES,
        "photographs": data.TEXTURES | {"no class": data.OTHERS},
        "faces": "lfw_subset.npy, its first 100",
        "portrait": "astronaut.png",
        "training side": f"the left {data.TRAIN_COLUMNS:.0%} of the columns of each "
        f"photograph; the first {data.TRAIN_FACES} faces. The rest is held out.",
        "tile": data.TILE,
        "grid": data.GRID,
        "steps of training": {"tiles": model.TILE_STEPS, "mosaics": model.MOSAIC_STEPS},
        "mosaics explained": study.PER_CLASS * len(data.CLASSES),
        "windows of the portrait": len(scene.TOPS) * len(scene.LEFTS),
        "integrated gradients": {"steps": explain.STEPS},
        "smoothed integrated gradients": {
            "std": explain.NOISE,
            "num_samples": explain.NUM_NOISY,
            "steps": explain.NOISY_STEPS,
        },
        "superpixels": explain.NUM_SUPERPIXELS,
        "coalitions": explain.NUM_COALITIONS,
        "steps of deletion and insertion": measure.CURVE_STEPS,
    }


if __name__ == "__main__":
    main()
