"""The peers' side of `shapley`, for a Python that has them, and no JAX.

    python -m tests.benchmarks.shapley_peers FOLDER --budgets 10 --games "tree, 8"
        --instances 20 --seeds 5

Reads every game of the folder, and appends one line of JSON per budget, game and
estimator to `peers.jsonl` there: relative squared errors by instance and seed, the
seconds of one estimate, and the most evaluations that one took. What a line is there
for is not estimated again.
"""

import argparse
import contextlib
import importlib.metadata
import io
import json
import math
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import numpy as np

from . import games

Values = Callable[[np.ndarray], np.ndarray]
Estimator = Callable[[Values, int, int, int], np.ndarray]
"""From a game, its number of players, the budget and a seed to the values."""


def shap_kernel(**options: Any) -> Estimator:
    def estimate(v: Values, d: int, budget: int, seed: int) -> np.ndarray:
        import shap

        np.random.seed(seed)
        explainer = shap.KernelExplainer(v, np.zeros((1, d)))
        return explainer.shap_values(
            np.ones((1, d)), nsamples=budget - 2, silent=True, **options
        )[0]

    return estimate


def shap_permutation(v: Values, d: int, budget: int, seed: int) -> np.ndarray:
    import shap

    explainer = shap.PermutationExplainer(v, np.zeros((1, d)), seed=seed)
    # It takes whole rounds, of one permutation and its reverse.
    least = 2 * d + 1
    return explainer(np.ones((1, d)), max_evals=max(least, budget), silent=True).values[
        0
    ]


def captum(name: str, options: Callable[[int, int], dict[str, int]]) -> Estimator:
    def estimate(v: Values, d: int, budget: int, seed: int) -> np.ndarray:
        import torch
        from captum import attr

        torch.set_num_threads(1)
        torch.manual_seed(seed)
        np.random.seed(seed)
        forward = lambda x: torch.from_numpy(v(x.numpy()))
        ends = torch.ones(1, d), torch.zeros(1, d)
        attribute = getattr(attr, name)(forward).attribute
        return attribute(*ends, **options(d, budget)).numpy()[0]

    return estimate


def shapiq(name: str, **options: Any) -> Estimator:
    def estimate(v: Values, d: int, budget: int, seed: int) -> np.ndarray:
        import shapiq.approximator

        make = getattr(shapiq.approximator, name)
        found = make(n=d, random_state=seed, **options).approximate(budget, v)
        return np.array([found[(i,)] for i in range(d)])

    return estimate


def polynomial(v: Values, d: int, budget: int, seed: int) -> np.ndarray:
    """Of order 3; in pairs, order 2 would be KernelSHAP."""
    terms = d + math.comb(d, 2) + math.comb(d, 3)
    if terms > budget:
        raise ValueError(f"{terms} terms from {budget} evaluations")
    return shapiq("PolySHAP", max_order=3, pairing_trick=True)(v, d, budget, seed)


ESTIMATORS: dict[str, Estimator] = {
    "shap KernelExplainer": shap_kernel(),
    "shap KernelExplainer, l1_reg=0": shap_kernel(l1_reg=0),
    "shap PermutationExplainer": shap_permutation,
    "Captum KernelShap": captum(
        "KernelShap", lambda d, m: {"n_samples": m, "perturbations_per_eval": m}
    ),
    "Captum ShapleyValueSampling": captum(
        "ShapleyValueSampling", lambda d, m: {"n_samples": max(1, (m - 1) // d)}
    ),
    "shapiq KernelSHAP": shapiq("KernelSHAP"),
    "shapiq KernelSHAP, paired": shapiq("KernelSHAP", pairing_trick=True),
    "shapiq LeverageSHAP": shapiq("LeverageSHAP"),
    "shapiq kADDSHAP": shapiq("kADDSHAP"),
    "shapiq SVARM": shapiq("SVARM"),
    "shapiq PolySHAP, order 3": polynomial,
    "shapiq OddSHAP": shapiq("OddSHAP"),
    "shapiq RegressionMSR": shapiq("RegressionMSR", index="SV"),
    "shapiq ProxySHAP": shapiq("ProxySHAP", index="SV", max_order=1),
    "shapiq ProxySHAP, adjusted": shapiq(
        "ProxySHAP", index="SV", max_order=1, adjustment=True
    ),
}
# A second for one estimate, or minutes: named, or left out.
SLOW: dict[str, Estimator] = {
    "shapiq ProxySPEX": shapiq("ProxySPEX", index="SV", max_order=1, hpo=False),
    "shapiq ShaplEIG": shapiq("ShaplEIG"),
}


def counted(game: games.Game, instance: int) -> tuple[Values, Callable[[], int]]:
    """The game as the peers call it, and how many evaluations they have asked for."""
    calls = [0]

    def v(coalitions: np.ndarray) -> np.ndarray:
        coalitions = np.atleast_2d(coalitions)
        calls[0] += len(coalitions)
        return games.value(game, instance, coalitions)

    return v, lambda: calls[0]


def errors(game: games.Game, exact: np.ndarray, estimate: Estimator, options: Any):
    """What is known of one estimator on one game at one budget."""
    d = game.num_players
    budget = min(options["budget"] * d, 2**d)
    table, most, start = [], 0, time.perf_counter()
    for i in range(options["instances"]):
        row = []
        for seed in range(options["seeds"]):
            v, calls = counted(game, i)
            with contextlib.redirect_stderr(io.StringIO()):
                phi = estimate(v, d, budget, 1000 * i + seed)
            row.append(float(((phi - exact[i]) ** 2).sum() / (exact[i] ** 2).sum()))
            most = max(most, calls())
        table.append(row)
    seconds = (time.perf_counter() - start) / (len(table) * len(table[0]))
    return {"errors": table, "seconds": seconds, "evaluations": most}


def tasks(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    sizes = {"instances": options.instances, "seeds": options.seeds}
    for budget in options.budgets:
        for name in options.games:
            for estimator in options.estimators:
                yield {"budget": budget, "game": name, "estimator": estimator, **sizes}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--budgets", type=int, nargs="+", required=True)
    parser.add_argument("--games", nargs="+", required=True)
    parser.add_argument("--estimators", nargs="+", default=list(ESTIMATORS))
    parser.add_argument("--instances", type=int, required=True)
    parser.add_argument("--seeds", type=int, required=True)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    every = {}
    for file in ("sklearn.npz", "flax.npz"):
        every |= games.load(options.folder / file)
    exact = {name: games.shapley(every[name]) for name in options.games}
    out = options.folder / "peers.jsonl"
    lines = out.read_text().splitlines() if out.exists() else []
    keys = ("budget", "game", "estimator", "instances", "seeds")
    done = {tuple(json.loads(line)[key] for key in keys) for line in lines}
    for task in tasks(options):
        if tuple(task[key] for key in keys) in done:
            continue
        estimate = (ESTIMATORS | SLOW)[task["estimator"]]
        version = importlib.metadata.version(task["estimator"].split()[0].lower())
        try:
            found = errors(every[task["game"]], exact[task["game"]], estimate, task)
        except Exception as error:  # a peer's refusal is a result
            found = {"refused": f"{type(error).__name__}: {error}"[:200]}
        with out.open("a") as file:
            file.write(json.dumps(task | {"version": version} | found) + "\n")
        print(json.dumps({**task, **found, "errors": None}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
