"""How long the table of evidence takes, and Quantus on the same work.

    python -m tests.benchmarks.metrics [--images 256]
    JAXPLAIN_QUANTUS=/path/to/python python -m tests.benchmarks.metrics --quantus

The first is ten explainers and all metrics of pictures, on a small CNN of 32 x 32 x 3,
compilation included. The second gives both libraries the same network, pictures and
maps, and times one metric at a time: Quantus after one call to warm up, ours with and
without compilation. The variable names a Python that has Quantus and PyTorch, which are
no dependency of ours. Read the ratios: seconds are those of a shared machine.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jaxplain as jx
from jaxplain import evidence, metrics

from .measure import seconds
from .peers import CNN, cnn

WIDTHS = (16, 32, 32)
WORKER = Path(__file__).with_name("quantus_worker.py")
SUBSETS, SUBSET, NEIGHBOURS = 100, 224, 10
MISSING = """\
JAXPLAIN_QUANTUS must name a Python that has Quantus and PyTorch. Make one with
    python3.12 -m venv .venv-quantus
    .venv-quantus/bin/pip install quantus torch
    JAXPLAIN_QUANTUS=.venv-quantus/bin/python python -m tests.benchmarks.metrics \\
        --quantus"""


def score(params: Any, x: jax.Array, label: jax.Array) -> jax.Array:
    return CNN(WIDTHS).apply(params, x)[label]


def explainers(params: Any) -> dict[str, Callable[..., Any]]:
    f = partial(score, params)
    layer = lambda make: make(f, at="Conv_2")
    return {
        "saliency": jx.saliency(f),
        "SmoothGrad": jx.smooth(jx.saliency(f), std=0.1, num_samples=8),
        "input x gradient": jx.input_x_gradient(f),
        "guided": jx.saliency(jx.rules.guided(f)),
        "LRP": jx.rules.lrp(f),
        "DeepLIFT": partial(jx.rules.deep_lift(f), baseline=0.0),
        "IG": partial(jx.integrated_gradients(f, steps=16), baseline=0.0),
        "occlusion": partial(jx.occlusion(f, window=8), baseline=0.0),
        "Grad-CAM": layer(jx.grad_cam),
        "HiResCAM": layer(jx.cam.hires_cam),
    }


def data(number: int) -> tuple[Any, np.ndarray, np.ndarray]:
    params = cnn(WIDTHS).params
    xs = jax.random.uniform(jax.random.key(2), (number, 32, 32, 3))
    logits = jax.jit(jax.vmap(partial(CNN(WIDTHS).apply, params)))(xs)
    return params, np.asarray(xs), np.asarray(logits.argmax(-1))


def table(number: int) -> None:
    params, xs, labels = data(number)
    masks = np.zeros((number, 32, 32), bool)
    masks[:, 8:24, 8:24] = True
    start, cpu = time.perf_counter(), time.process_time()
    found = evidence.evaluate(
        partial(score, params),
        explainers(params),
        xs,
        labels,
        key=jax.random.key(0),
        baseline=0.0,
        masks=masks,
        params=params,
        of_params=explainers,
        progress=partial(print, flush=True),
    )
    took = time.perf_counter() - start, time.process_time() - cpu
    rows = len(found.table.metrics), len(found.names)
    print(
        f"{rows[0]} metrics x {rows[1]} explainers and controls x {number} images: "
        f"{took[0]:.0f} s, {took[1]:.0f} s of CPU"
    )


def ours(params: Any) -> dict[str, Callable[..., Any]]:
    """The same work, as one program over all images each."""
    f = partial(score, params)
    # 32 pixels at a time, as Quantus is told to.
    curve = metrics.deletion(f, steps=32, chunk_size=8)
    subsets = metrics.faithfulness_correlation(
        f, subset_size=SUBSET, num_samples=SUBSETS, chunk_size=10
    )
    nearby = metrics.max_sensitivity(
        jx.saliency(f), radius=0.02, num_samples=NEIGHBOURS, chunk_size=5
    )
    return {
        "pixel flipping": lambda x, y, a, k: (
            curve(x, y, attribution=a, baseline=0.0).value
        ),
        "faithfulness correlation": lambda x, y, a, k: subsets(
            x, y, attribution=a, baseline=0.0, key=k
        ),
        "max sensitivity": lambda x, y, a, k: nearby(x, y, key=k),
        "sparseness": lambda x, y, a, k: metrics.sparseness(a),
        "complexity": lambda x, y, a, k: metrics.entropy(a),
    }


def floors(params: Any) -> dict[str, Callable[..., Any]]:
    """The passes that a metric cannot do without, at inputs that cost nothing."""
    f = partial(score, params)

    def passes(of: Callable[..., Any], number: int) -> Callable[..., Any]:
        at = lambda i, x, y: jnp.sum(of(x * (1 + i * 1e-3), y))
        return lambda x, y, a, k: jax.lax.map(
            lambda i: at(i, x, y), jnp.arange(float(number)), batch_size=8
        )

    return {
        "pixel flipping": passes(f, 33),
        "faithfulness correlation": passes(f, SUBSETS),
    }


def quantus(python: str, number: int) -> None:
    params, xs, labels = data(number)
    maps = jax.jit(jax.vmap(jx.saliency(partial(score, params))))(xs, labels)
    maps = np.abs(np.asarray(maps)).sum(-1)
    with tempfile.TemporaryDirectory() as folder:
        arrays = cnn(WIDTHS).weights | {"labels": labels, "maps": maps[:, None]}
        arrays["x"] = xs.transpose(0, 3, 1, 2)
        np.savez(
            Path(folder) / "work.npz",
            **{k: np.ascontiguousarray(v) for k, v in arrays.items()},
        )
        ran = subprocess.run(
            [python, str(WORKER), folder],
            input=json.dumps([SUBSETS, SUBSET, NEIGHBOURS]),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    theirs = json.loads(ran.stdout.splitlines()[-1])
    keys = jax.random.split(jax.random.key(1), number)
    args = (jnp.asarray(xs), jnp.asarray(labels), jnp.asarray(maps), keys)
    print(f"{number} images, {theirs.pop('version')}, load {os.getloadavg()[0]:.1f}")
    print(
        "| metric | Quantus, s | jaxplain, s | bare passes, s | compilation, s | ratio "
        "| with it |"
    )
    print("|---|---|---|---|---|---|---|")

    def best(one: Callable[..., Any]) -> tuple[float, float]:
        start = time.perf_counter()
        program = jax.jit(jax.vmap(one)).lower(*args).compile()
        compiling = time.perf_counter() - start
        seconds(program, *args)
        return min(seconds(program, *args) for _ in range(3)), compiling

    bare = {name: f"{best(one)[0]:.3f}" for name, one in floors(params).items()}
    for name, one in ours(params).items():
        ran_in, compiling = best(one)
        ratio, whole = theirs[name] / ran_in, theirs[name] / (ran_in + compiling)
        print(
            f"| {name} | {theirs[name]:.2f} | {ran_in:.3f} | {bare.get(name, '')} | "
            f"{compiling:.2f} | {ratio:.0f} | {whole:.1f} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.metrics")
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--quantus", action="store_true")
    options = parser.parse_args()
    if not options.quantus:
        table(options.images)
        return
    python = os.environ.get("JAXPLAIN_QUANTUS")
    if not python or not Path(python).exists():
        sys.exit(MISSING)
    quantus(python, options.images)


if __name__ == "__main__":
    main()
