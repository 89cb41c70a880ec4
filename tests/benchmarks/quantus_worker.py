"""Quantus' side of `metrics`, for a Python that has Quantus and PyTorch, and no JAX.

Takes a folder with `work.npz`, and settings as JSON on standard input; its last line is
the seconds of each metric, after a call on two images to warm up.
"""

import json
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import quantus
import torch
from torch import nn


def network(work: Any) -> nn.Module:
    layers: list[nn.Module] = []
    for i in range(3):
        kernel = torch.from_numpy(work[f"kernel{i}"])
        conv = nn.Conv2d(kernel.shape[1], kernel.shape[0], 3, padding=1)
        conv.weight = nn.Parameter(kernel)
        conv.bias = nn.Parameter(torch.from_numpy(work[f"bias{i}"]))
        layers += [conv, nn.ReLU(), nn.MaxPool2d(2)]
    dense = nn.Linear(1, 1)
    dense.weight = nn.Parameter(torch.from_numpy(work["dense_kernel"]))
    dense.bias = nn.Parameter(torch.from_numpy(work["dense_bias"]))
    return nn.Sequential(*layers, nn.Flatten(), dense).eval()


def saliency(model: nn.Module, inputs: Any, targets: Any, **unused: Any) -> np.ndarray:
    x = torch.as_tensor(inputs, dtype=torch.float32).requires_grad_()
    rows = torch.arange(len(x))
    model(x)[rows, torch.as_tensor(targets).long()].sum().backward()
    return x.grad.abs().sum(1, keepdim=True).numpy()


def main(folder: Path) -> None:
    warnings.simplefilter("ignore")
    subsets, subset, neighbours = json.loads(sys.stdin.read())
    work = np.load(folder / "work.npz")
    model = network(work)
    quiet = {"disable_warnings": True, "display_progressbar": False}
    black = {"perturb_baseline": "black"}
    plain = {"normalise": False, "abs": False}
    metrics = {
        "pixel flipping": quantus.PixelFlipping(
            features_in_step=32, **black, **plain, **quiet
        ),
        "faithfulness correlation": quantus.FaithfulnessCorrelation(
            nr_runs=subsets, subset_size=subset, **black, **plain, **quiet
        ),
        "max sensitivity": quantus.MaxSensitivity(
            nr_samples=neighbours, lower_bound=0.02, **plain, **quiet
        ),
        "sparseness": quantus.Sparseness(**plain, **quiet),
        "complexity": quantus.Complexity(**plain, **quiet),
    }
    found: dict[str, Any] = {
        "version": f"quantus {quantus.__version__}, torch {version('torch')}"
    }
    for name, metric in metrics.items():

        def run(rows: slice, metric: Any = metric) -> None:
            metric(
                model=model,
                x_batch=work["x"][rows],
                y_batch=work["labels"][rows],
                a_batch=work["maps"][rows],
                explain_func=saliency,
                softmax=False,
            )

        run(slice(2))
        start = time.perf_counter()
        run(slice(None))
        found[name] = time.perf_counter() - start
        print(name, found[name], file=sys.stderr, flush=True)
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
