"""The peers' side of `perturbation_speed`, for a Python that has them, and no JAX.

    python -m tests.benchmarks.perturbation_peers FOLDER

Reads `mlp.npz` of the folder. Then each line of standard input is a setting as JSON,
and each line of output the seconds that all rows took under it; the values are left in
`answer.npy`.
"""

import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import shap
from lime.lime_tabular import LimeTabularExplainer
from threadpoolctl import threadpool_limits

Explain = Callable[[dict[str, Any]], np.ndarray]


def network(weights: Any) -> Callable[[np.ndarray], np.ndarray]:
    """In NumPy: nothing else calls a network of this size with less ado."""
    layers = [(weights[f"kernel{i}"], weights[f"bias{i}"]) for i in range(3)]

    def predict(x: np.ndarray) -> np.ndarray:
        x = x.astype(np.float32)
        for kernel, bias in layers[:-1]:
            x = np.tanh(x @ kernel + bias)
        kernel, bias = layers[-1]
        return (x @ kernel + bias)[:, 0]

    return predict


def explainers(weights: Any) -> dict[str, Explain]:
    predict, rows = network(weights), weights["rows"].astype(np.float64)
    kernel = shap.KernelExplainer(predict, np.zeros((1, rows.shape[1])))
    tabular = LimeTabularExplainer(
        weights["training"].astype(np.float64), mode="regression", random_state=0
    )

    def by_shap(setting: dict[str, Any]) -> np.ndarray:
        return kernel.shap_values(rows, silent=True, **setting["options"])

    def by_lime(setting: dict[str, Any]) -> np.ndarray:
        found = np.zeros_like(rows)
        for row, values in zip(rows, found, strict=True):
            answer = tabular.explain_instance(row, predict, **setting["options"])
            for column, weight in answer.as_map()[1]:
                values[column] = weight
        return found

    return {"shap": by_shap, "lime": by_lime}


def main(folder: Path) -> None:
    warnings.simplefilter("ignore")
    # Their progress bars and remarks would mix with the answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    every = explainers(np.load(folder / "mlp.npz"))
    for line in sys.stdin:
        setting = json.loads(line)
        with threadpool_limits(setting["threads"]):
            start = time.perf_counter()
            found = every[setting["peer"]](setting)
            seconds = time.perf_counter() - start
        np.save(folder / "answer.npy", found)
        print(seconds, file=answers, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
