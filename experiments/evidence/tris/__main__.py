"""Train on tetrominoes in noise, explain, and score against where the class is written.

Sixteen settings, three networks, several seeds; see `data.py` for the recipe.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from experiments import common
from experiments.evidence import seeds as several
from experiments.evidence.tris import claims, explain, figure, model, study
from experiments.evidence.tris.data import SETTINGS, Setting, weight

# With one network: most of the time goes to compiling the explainers.
QUICK_SETTINGS = [
    Setting(scenario, background, "weak")
    for scenario in ("linear", "rigid", "xor")
    for background in ("white", "correlated")
]
QUICK_NETWORKS = ("MLP",)

NOTES = (
    "Scores are of the magnitudes of a map, over test pictures that every network is "
    "right about, of those networks that reach the criterion.",
    "Intervals are Student's at 95 %, over seeds: other pictures and other networks.",
    "The distance is that of the whole map to the mask, divided by the diagonal; the "
    "mean noise is the baseline wherever one is needed, and that is zero.",
    "Weak signals are those of the code of the paper; strong ones are ours.",
)


def main(argv: Sequence[str] | None = None) -> None:
    """The benchmark, from the noise to the figures."""
    parser = several.parser("tris", __doc__)
    parser.add_argument("--networks", nargs="+", choices=model.RECIPES)
    options = parser.parse_args(argv)
    seeds, clock = several.chosen(options), common.Clock()
    settings, networks, size = SETTINGS, tuple(model.RECIPES), study.Size()
    if options.quick:
        settings, networks = QUICK_SETTINGS, QUICK_NETWORKS
        size = study.Size(train=4000, explained=16, quick=True)
    networks = options.networks or networks

    results = {}
    for setting in settings:
        clock.start(str(setting))
        results[setting] = study.run(setting, seeds, networks, size)
        for name, values in results[setting].accuracy.items():
            clock.say(f"  {name}: accuracy {values.mean():.3f}")
    clock.start("drawing")
    folder = common.output_folder(options.out)
    drawings = (
        figure.draw_scores(results, folder / "tris.png"),
        figure.draw_maps(results, folder / "tris_maps.png"),
    )
    clock.stop()

    said = claims.claims(results)
    metrics = {
        "experiment": "evidence.tris",
        **several.provenance(argv, "tris"),
        "seeds": seeds,
        "quick": options.quick,
        "notes": NOTES,
        "configuration": configuration(size, options.quick),
        "settings": [row(*item) for item in results.items()],
        "claims": said,
        "seconds": clock.seconds | {"total": round(clock.total(), 2)},
        "versions": common.versions(),
    }
    table(results)
    clock.say(f"above every control: {said['better_than_every_control']['all']}")
    written = common.write_metrics(folder, metrics)
    clock.say(f"wrote {', '.join(map(str, drawings))} and {written}")


def row(setting: Setting, result: study.Result) -> dict[str, Any]:
    """Everything about one setting, as numbers with their intervals."""

    def numbers(scores: study.Scores) -> dict[str, Any]:
        return {
            name: {
                measure: claims.over_seeds(values[name])
                for measure, values in scores._asdict().items()
            }
            for name in scores.precision
        }

    return {
        **setting._asdict(),
        "weight_of_the_pattern": weight(setting),
        "accuracy": {
            name: several.interval(values)
            | {"seeds_that_reach": int((values >= study.CRITERION).sum())}
            for name, values in result.accuracy.items()
        },
        "explainers": {name: numbers(s) for name, s in result.explainers.items()},
        "controls": numbers(result.controls),
    }


def table(results: claims.Results) -> None:
    """Mean precision over seeds and signals, by network, scenario and background."""
    cells: dict[tuple[str, str], dict[str, list[float]]] = {}
    for setting, network, scores in claims.explained(results):
        controls = results[setting].controls.precision
        for name, values in (scores.precision | controls).items():
            column = f"{setting.scenario[:3]} {setting.background[:4]}"
            row = cells.setdefault((network, name), {})
            row.setdefault(column, []).append(float(np.nanmean(values)))
    columns = list(dict.fromkeys(c for row in cells.values() for c in row))
    rows = [
        [
            f"{network}: {name}",
            *(f"{np.mean(found[c]):.2f}" if c in found else "" for c in columns),
        ]
        for (network, name), found in sorted(cells.items(), key=lambda x: x[0][0])
    ]
    common.print_table(["precision", *columns], rows)


def configuration(size: study.Size, quick: bool) -> dict[str, Any]:
    """Everything that the numbers depend on, besides the code and the seeds."""
    return {
        "training_pictures": size.train,
        "test_pictures": study.NUM_TEST,
        "explained_of_each_seed": size.explained,
        "criterion": study.CRITERION,
        "networks": {
            name: {
                "layers": [*recipe.hidden, "logits"],
                "learning_rate": recipe.rate,
                "steps": recipe.quick_steps if quick else recipe.steps,
            }
            for name, recipe in model.RECIPES.items()
        },
        "batch": model.BATCH,
        "steps_of_integrated_gradients": explain.STEPS,
        "noise_of_smoothgrad": explain.NOISE,
        "samples_of_smoothgrad": explain.NUM_NOISY,
        "references": explain.NUM_REFERENCES,
        "coalitions": explain.NUM_COALITIONS,
        "masks_of_rise": explain.NUM_MASKS,
    }


if __name__ == "__main__":
    main()
