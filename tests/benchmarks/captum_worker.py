"""Captum's side of `peers`, for a Python that has PyTorch and Captum, and no JAX.

Takes a folder with `weights.npz`. Then each line of standard input is a setting as
JSON, and each line of output the seconds that one attribution took under it; its answer
is left in `answer.npy`.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from captum.attr import IntegratedGradients
from torch import nn


def parameters(weights: Any, names: str) -> list[nn.Parameter]:
    return [nn.Parameter(torch.from_numpy(weights[name])) for name in names.split()]


def convolutional(weights: Any) -> nn.Module:
    layers: list[nn.Module] = []
    for i in range(3):
        kernel, bias = parameters(weights, f"kernel{i} bias{i}")
        conv = nn.Conv2d(kernel.shape[1], kernel.shape[0], 3, padding=1)
        conv.weight, conv.bias = kernel, bias
        layers += [conv, nn.ReLU(), nn.MaxPool2d(2)]
    dense = nn.Linear(1, 1)
    dense.weight, dense.bias = parameters(weights, "dense_kernel dense_bias")
    return nn.Sequential(*layers, nn.Flatten(), dense).eval()


class Recurrent(nn.Module):
    def __init__(self, weights: Any):
        super().__init__()
        gates, inputs = weights["weight_ih"].shape
        self.lstm = nn.LSTM(inputs, gates // 4, batch_first=True)
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            setattr(self.lstm, f"{name}_l0", *parameters(weights, name))
        self.dense = nn.Linear(1, 1)
        self.dense.weight, self.dense.bias = parameters(
            weights, "dense_kernel dense_bias"
        )

    def forward(self, series: torch.Tensor) -> torch.Tensor:
        return self.dense(self.lstm(series)[0][:, -1])


def main(folder: Path) -> None:
    weights = np.load(folder / "weights.npz")
    model = convolutional(weights) if "kernel0" in weights else Recurrent(weights)
    x = torch.from_numpy(weights["x"])[None]
    explain = IntegratedGradients(model).attribute
    print(f"torch {torch.__version__}", flush=True)
    for line in sys.stdin:
        setting = json.loads(line)
        torch.set_num_threads(setting["threads"])
        if x.ndim == 4:
            layout = getattr(torch, setting["layout"])
            model, x = (v.to(memory_format=layout) for v in (model, x))
        start = time.perf_counter()
        answer = explain(
            x,
            torch.zeros_like(x),
            target=0,
            n_steps=setting["steps"],
            internal_batch_size=setting["batch"],
        )
        seconds = time.perf_counter() - start
        np.save(folder / "answer.npy", answer[0].detach().numpy())
        print(seconds, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
