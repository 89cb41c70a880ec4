"""Explain series whose cause is known, and score the maps beside published tables.

Nothing is downloaded: the series are drawn from their recipes.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from experiments import common
from experiments.evidence import programs, seeds
from experiments.evidence.series import (
    additive,
    data,
    figure,
    masks,
    measure,
    model,
    published,
    tunnel,
)

NUM_SERIES, QUICK_SERIES = 10, 3  # of each sum of squares
ADDITIVE = {"rare features": data.rare_features, "rare times": data.rare_times}
STATES = "states"
UNTRAINED = "Integrated gradients, untrained"
# What takes longest to compile.
NOT_QUICK = "Expected gradients", "SHAP, windows", "LIME, windows", "LIME", masks.BLUR

Maps = dict[str, np.ndarray]

NOTES = (
    "Maps are absolute values, scaled from 0 to 1 for each series, and then pooled, as "
    "in the published code. Only AUROC and AUPRC depend on order alone.",
    "Intervals are Student's, over seeds: each draws series and trains a network.",
    "Published numbers are of other draws and another network: a GRU of 200 units with "
    "batch normalisation, and PyTorch's gradients through its gates in DeepLIFT.",
    "Of the states, information and entropy are divided by the number of series.",
    "Occlusion, permutation, SHAP and LIME take an input away while the state before "
    "it stays; published LIME perturbs the whole past.",
    "Masks of the states are of the first series only. Their areas were chosen around "
    "the true one, and the fade to 0 with scores of one seed in view.",
)


class Study(NamedTuple):
    """Everything that is compiled once, and used with every seed."""

    additive: Mapping[str, Callable[..., Any]]
    tunnel: Mapping[str, Callable[..., Any]]
    budget: tunnel.Budget
    num_series: int


class Found(NamedTuple):
    """The maps of one problem and one seed, and where the cause is."""

    x: np.ndarray
    salient: np.ndarray
    maps: Maps
    other: dict[str, float]


def main(argv: Sequence[str] | None = None) -> None:
    """The benchmark, from the recipes to the figures."""
    options = seeds.parser("series", __doc__).parse_args(argv)
    clock, chosen = common.Clock(), seeds.chosen(options)
    study = prepared(options.quick)

    found: dict[str, list[Found]] = {name: [] for name in (*ADDITIVE, STATES)}
    for seed in chosen:
        clock.start(f"seed {seed}")
        for name, draw in ADDITIVE.items():
            found[name].append(explain_additive(study, draw, seed))
        clock.say("sums of squares: explained")
        found[STATES].append(explain_states(study, seed, clock))

    clock.start("scoring and drawing")
    numbers = {name: scored(results) for name, results in found.items()}
    traps = {name: trapped(results) for name, results in found.items()}
    folder = common.output_folder(options.out)
    figure.draw(found[STATES][0], numbers, folder / "series.png")
    figure.draw_traps(traps, folder / "traps.png")
    clock.stop()

    for name in numbers:
        print(f"\n{name}")
        common.print_table(*table(name, numbers[name]))
    for name in traps:
        print(f"\n{name}: one map of integrated gradients, spread otherwise")
        common.print_table(*table(name, traps[name], beside=False))
    metrics = {
        "experiment": "evidence.series",
        **seeds.provenance(argv, "series"),
        "seeds": chosen,
        "quick": options.quick,
        "notes": NOTES,
        "configuration": configuration(study),
        "accuracy": accuracies(found[STATES]),
        "scores": numbers,
        "traps": traps,
        "published": published.TABLES,
        "published_deviations": published.DEVIATIONS,
        "seconds": clock.seconds | {"total": round(clock.total(), 2)},
        "versions": common.versions(),
    }
    clock.say(f"wrote {common.write_metrics(folder, metrics)} and figures beside it")


def prepared(quick: bool) -> Study:
    """The programs, not yet compiled."""
    budget = tunnel.QUICK if quick else tunnel.Budget()
    of_sums = additive.methods(additive.QUICK if quick else additive.Budget())
    of_states = tunnel.methods(budget)
    left_out = NOT_QUICK if quick else ()
    return Study(
        {k: additive.program(v) for k, v in of_sums.items() if k not in left_out},
        {k: tunnel.program(v) for k, v in of_states.items() if k not in left_out},
        budget,
        QUICK_SERIES if quick else NUM_SERIES,
    )


def explain_additive(study: Study, draw: Callable[..., Any], seed: int) -> Found:
    """All maps of one sum of squares."""
    rng, key = np.random.default_rng(seed), jax.random.key(seed)
    problem = draw(rng, study.num_series)
    others = data.arma(rng, additive.NUM_OTHERS)
    one = lambda item: masks.rows(item[0], item[1](problem, others, key))
    rows = programs.each(one, study.additive.items())
    return Found(problem.x, problem.salient, _together(rows), {})


def explain_states(study: Study, seed: int, clock: common.Clock) -> Found:
    """Train the network, and explain what it says at every step."""
    rng, key, budget = np.random.default_rng(seed), jax.random.key(seed), study.budget
    train, test = (data.states(rng, n) for n in (budget.num_train, budget.num_test))
    params = model.train(rng, seed, train, budget.updates)
    other = {
        "network": model.accuracy(params, test),
        "rule_behind_the_labels": model.best_accuracy(test),
    }
    clock.say(f"accuracy {other['network']:.3f}")

    def one(item: tuple[str, Callable[..., Any]]) -> Maps:
        name, program = item
        own = model.initial(seed) if name == UNTRAINED else params
        number = budget.masked if name in (masks.ZERO, masks.BLUR) else budget.num_test
        x, others = test.x[:number], train.x[: budget.others]
        context = tunnel.Context(own, train.x.mean(0), others)
        labels = np.asarray(model.predict(own, x))
        return masks.rows(name, tunnel.explain(program, x, labels, context, key))

    rows = programs.each(one, study.tunnel.items())
    # After the others: it is the same program with other weights.
    rows.append(one((UNTRAINED, study.tunnel["Integrated gradients"])))
    clock.say("states: explained")
    return Found(test.x, test.salient, _together(rows), other)


def _together(rows: Sequence[Maps]) -> Maps:
    return {name: maps for found in rows for name, maps in found.items()}


def scored(results: Sequence[Found]) -> dict[str, dict[str, Any]]:
    """Every measure of every explainer, over seeds."""
    return {
        name: over_seeds([_numbers(r, np.abs(r.maps[name])) for r in results])
        for name in results[0].maps
    }


def trapped(results: Sequence[Found]) -> dict[str, dict[str, Any]]:
    """Every measure of one map, spread in several ways."""
    spread = [
        measure.transformed(np.abs(r.maps["Integrated gradients"]), r.salient)
        for r in results
    ]
    return {
        name: over_seeds(
            [_numbers(r, s[name]) for r, s in zip(results, spread, strict=True)]
        )
        for name in spread[0]
    }


def _numbers(found: Found, maps: np.ndarray) -> dict[str, float]:
    numbers = measure.numbers(maps, found.salient[: len(maps)])
    # Sums over all series are published for the sums of squares only.
    number = len(maps) if found.other else 1
    sums = ("information", "entropy")
    return {k: v / number if k in sums else v for k, v in numbers.items()}


def over_seeds(numbers: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Each measure with its interval."""
    return {k: seeds.interval([n[k] for n in numbers]) for k in numbers[0]}


def table(
    problem: str, numbers: Mapping[str, Any], beside: bool = True
) -> tuple[list[str], list[list[str]]]:
    """Ours, with what is published in brackets."""
    known = published.TABLES[problem] if beside else {}
    header = ["", *(name for name, _ in measure.MEASURES.values())]
    names = [*numbers, *(name for name in known if name not in numbers)]

    def cell(name: str, key: str) -> str:
        places = measure.MEASURES[key][1]
        ours = seeds.cell(numbers[name][key], places) if name in numbers else ""
        theirs = known.get(name, {}).get(key)
        return ours if theirs is None else f"{ours} ({theirs:.{places}f})".strip()

    return header, [[n, *(cell(n, key) for key in measure.MEASURES)] for n in names]


def accuracies(results: Sequence[Found]) -> dict[str, Any]:
    """Of the network, and of the rule behind the labels."""
    return over_seeds([r.other for r in results])


def configuration(study: Study) -> dict[str, Any]:
    """Everything that the numbers depend on, besides the code and the seeds."""
    return {
        "series_of_each_sum": study.num_series,
        "others": additive.NUM_OTHERS,
        "window": additive.WINDOW,
        "areas_of_the_sums": additive.AREAS,
        "blur_of_the_sums": additive.SIGMA,
        "states": study.budget._asdict(),
        "areas_of_the_states": tunnel.AREAS,
        "blur_of_the_states": tunnel.SIGMA,
        "share_that_masks_keep": masks.KEPT,
        "units": model.WIDTH,
        "batch": model.BATCH,
        "rate": model.RATE,
        "weight_decay": model.DECAY,
        "dropout": model.DROPOUT,
    }


if __name__ == "__main__":
    main()
