"""Randomise a network layer by layer, and see which maps do not mind.

Digits of scikit-learn, or MNIST with `--data`: a folder that holds `mnist_subset.npz`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from experiments import common
from experiments.evidence import seeds
from experiments.evidence.sanity import data, explain, figure, measure, model, study

REFERENCE = "Gradient"

NOTES = (
    "Layers get untrained weights, drawn as before training, from the output down or "
    "one at a time; one draw for each seed serves all explainers and pictures.",
    "The explained logit is that of the true digit, which every network reads aright.",
    "SSIM is that of absolute maps, each divided by its maximum. Constant maps, as "
    "Grad-CAM has where nothing is positive, are left out.",
    "A twin is the network of the next seed, which learnt the same from another start.",
    "Intervals are Student's, over seeds. The paired tests are over pictures, with "
    "these networks given, and corrected by Holm for each similarity.",
)


def main(argv: Sequence[str] | None = None) -> None:
    """The benchmark, from the digits to the figures."""
    options = seeds.parser("sanity", __doc__).parse_args(argv)
    clock, chosen = common.Clock(), seeds.chosen(options)
    quick = options.quick
    file = common.data_file(options.data, "mnist_subset.npz", clock)
    source, digits = data.load(file)
    # One split for all seeds: a picture that one network learnt must not test another.
    train, held_out = data.split(digits, np.random.default_rng(options.seed))

    clock.start(f"training on {source}")
    steps = (
        (model.QUICK_STEPS, model.QUICK_BY_HEART_STEPS)
        if quick
        else (model.STEPS, model.BY_HEART_STEPS)
    )
    models = []
    for seed in chosen:
        models.append(study.train(train, held_out, seed, steps))
        clock.say(f"seed {seed}: {models[-1].accuracy}")
    number = study.QUICK_IMAGES if quick else study.NUM_IMAGES
    pictures = study.chosen(models, held_out, number)

    clock.start("explaining randomised networks")
    budget = explain.QUICK if quick else explain.Budget()
    methods = explain.methods(budget)
    programs = {k: measure.programs(v, budget.smoothed) for k, v in methods.items()}
    found = study.examine_all(programs, pictures, models, clock)

    clock.start("scoring and drawing")
    numbers = {name: study.report(of) for name, of in found.items()}
    itself = of_model(pictures, models)
    tests = {
        key: study.compared(found, "cascading", key, REFERENCE)
        for key in measure.SIMILARITIES
    }
    names = ["none", *measure.layers(models[0].trained, pictures.images[0])]
    folder = common.output_folder(options.out)
    maps = {name: of[0].maps[0] for name, of in found.items()}
    figure.draw_maps(pictures.images[0], maps, names, folder / "maps.png")
    figure.draw_curves(numbers, names, folder / "curves.png")
    clock.stop()

    for header, rows in tables(numbers, itself, tests, names):
        common.print_table(header, rows)
    metrics = {
        "experiment": "evidence.sanity",
        **seeds.provenance(argv, "sanity"),
        "seeds": chosen,
        "quick": quick,
        "data": source,
        "notes": NOTES,
        "configuration": {
            "size": data.SIZE,
            "pictures": number,
            "steps": steps,
            "budget": budget._asdict(),
            "noise": explain.NOISE,
            "layers": names[1:],
            "reference": REFERENCE,
        },
        "accuracy": {
            key: seeds.interval([m.accuracy[key] for m in models])
            for key in models[0].accuracy
        },
        "model": itself,
        "explainers": numbers,
        "paired_tests": tests,
        "seconds": clock.seconds | {"total": round(clock.total(), 2)},
        "versions": common.versions(),
    }
    clock.say(f"wrote {common.write_metrics(folder, metrics)} and figures beside it")


def of_model(
    pictures: data.Digits, models: Sequence[study.Models]
) -> dict[str, list[dict[str, float]]]:
    """What the output of the model does, stage by stage."""
    shown = pictures.images, pictures.labels
    found = [measure.outputs(*shown, m.trained, m.untrained) for m in models]
    return {
        key: [
            seeds.interval(stage)
            for stage in np.array([np.asarray(f[key]).mean(0) for f in found]).T
        ]
        for key in found[0]
    }


def tables(
    numbers: Mapping[str, Any],
    itself: Mapping[str, Any],
    tests: Mapping[str, Any],
    names: Sequence[str],
) -> list[tuple[list[str], list[list[str]]]]:
    """What is printed: the tests, the paired differences, the model itself."""
    keys = list(measure.SIMILARITIES)
    short = [measure.SIMILARITIES[key] for key in keys]
    header = [
        "",
        *(f"cascade {s}" for s in short),
        *(f"alone {s}" for s in short),
        "smooth SSIM",
        "rise",
    ]
    rows = [
        [
            name,
            *(seeds.cell(n["mean"]["cascading"][key]) for key in keys),
            *(seeds.cell(n["mean"]["independent"][key]) for key in keys),
            seeds.cell(n["mean"]["smooth"]["ssim"]),
            seeds.cell(n["complexity_rise"]),
        ]
        for name, n in numbers.items()
    ]
    labels = ["", *(f"random labels {s}" for s in short), *(f"twin {s}" for s in short)]
    by_labels = [
        [name, *(seeds.cell(n[of][key]) for of in ("by_heart", "twin") for key in keys)]
        for name, n in numbers.items()
    ]
    paired = [
        [
            name,
            *(
                f"{test['difference']:+.2f} (p {test['p_value']:.4f})"
                for test in (tests[key][name] for key in keys)
            ),
        ]
        for name in tests[keys[0]]
    ]
    outputs = [[key, *map(seeds.cell, curve)] for key, curve in itself.items()]
    return [
        (header, rows),
        (labels, by_labels),
        ([f"less {REFERENCE}", *short], paired),
        (["the model itself", *names], outputs),
    ]


if __name__ == "__main__":
    main()
