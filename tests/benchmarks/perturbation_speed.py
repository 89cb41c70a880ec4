"""Kernel SHAP beside shap, and tabular LIME beside lime: 16 rows of an MLP, one run.

    JAXPLAIN_PEERS=/path/to/python python -m tests.benchmarks.perturbation_speed

The variable names a Python with the peers, which are no dependency of ours; without it
only ours are timed. Each side runs at the fastest of its settings; the peers have the
same weights in NumPy. The floor is as many evaluations of the network in one batch.
Rounds alternate and never overlap. Our programs are compiled ahead, and the seconds of
that stand beside. Read the ratios: seconds are those of a shared machine.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import jaxplain as jx

from .measure import compiled, seconds

ROWS, COLUMNS, UNITS = 16, 16, 64
COALITIONS, NEIGHBOURS, CHUNK = 1024, 5000, 256
WORKER = "tests.benchmarks.perturbation_peers"
ROOT = Path(__file__).parents[2]
Params = list[tuple[jax.Array, jax.Array]]


def params() -> Params:
    sizes = (COLUMNS, UNITS, UNITS, 1)
    keys = jax.random.split(jax.random.key(0), len(sizes) - 1)
    he = jax.nn.initializers.he_normal()
    return [
        (he(key, (a, b)), jnp.zeros(b))
        for key, a, b in zip(keys, sizes, sizes[1:], strict=False)
    ]


def f(x: jax.Array, layers: Params) -> jax.Array:
    for kernel, bias in layers[:-1]:
        x = jnp.tanh(x @ kernel + bias)
    kernel, bias = layers[-1]
    return (x @ kernel + bias)[0]


class Contest(NamedTuple):
    """One of ours, and the settings under which a peer does the same.

    Attributes:
        name: What is timed.
        make: From a number of samples and a chunk size to our explainer.
        num_samples: How many of them are timed.
        chunks: Our chunk sizes, of which the fastest counts.
        peer: The peer's name, as the worker knows it.
        settings: Options of the peer, of which the fastest counts.
    """

    name: str
    make: Callable[[int, int | None], Callable[..., jax.Array]]
    num_samples: int
    chunks: tuple[int | None, ...]
    peer: str
    settings: list[dict[str, Any]]


def tabular_lime(num_samples: int, chunk_size: int | None) -> Any:
    """With the distance, width and penalty of the package."""
    return jx.lime(
        f,
        num_samples=num_samples,
        chunk_size=chunk_size,
        distance="euclidean",
        width=0.75 * COLUMNS**0.5,
    )


def ours(explainer: Callable[..., Any]) -> Any:
    return lambda num, chunk: explainer(f, num_samples=num, chunk_size=chunk)


SHAP = [{"nsamples": COALITIONS}, {"nsamples": COALITIONS, "l1_reg": 0}]
LIME = [{"num_samples": NEIGHBOURS, "num_features": COLUMNS}]
CONTESTS = [
    Contest("kernel_shap", ours(jx.kernel_shap), COALITIONS, (None,), "shap", SHAP),
    Contest("gp_shap", ours(jx.gp_shap), COALITIONS, (None,), "shap", SHAP),
    Contest("lime", tabular_lime, NEIGHBOURS, (None, 500), "lime", LIME),
]


def batched(explain: Callable[..., jax.Array], one_key: bool) -> Callable[..., Any]:
    """All rows at once, with the same coalitions for each or with their own."""

    def of_rows(rows: jax.Array, layers: Params, key: jax.Array) -> jax.Array:
        keys = key if one_key else jax.random.split(key, len(rows))
        one = lambda x, key: explain(x, layers, baseline=0.0, key=key)
        return jax.vmap(one, in_axes=(0, None if one_key else 0))(rows, keys)

    return of_rows


class Worker:
    """A process that waits for settings: no thread of it runs while we do."""

    def __init__(self, python: str, folder: Path):
        self.process = subprocess.Popen(
            [python, "-m", WORKER, str(folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def seconds(self, setting: dict[str, Any]) -> float:
        self.process.stdin.write(json.dumps(setting) + "\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def memory(contest: Contest, args: tuple, times: int) -> int:
    """Peak bytes of temporary buffers, in chunks, for so many times the samples."""
    explain = contest.make(times * contest.num_samples, CHUNK)
    return compiled(batched(explain, one_key=True), *args)[2]


def compare(
    contest: Contest, args: tuple, worker: Worker | None, folder: Path, rounds: int
) -> dict[str, Any]:
    """One line of the table."""
    rows, layers, _ = args
    timers, row = {}, {"ours": contest.name, "samples": contest.num_samples}
    for name, one_key in {"one key": True, "a key per row": False}.items():
        every = []
        for chunk in contest.chunks:
            explain = contest.make(contest.num_samples, chunk)
            program, compile_s, _ = compiled(batched(explain, one_key), *args)
            best = min(seconds(program, *args) for _ in range(3))
            every.append((best, program, compile_s, chunk))
        _, program, compile_s, chunk = min(every, key=lambda trial: trial[0])
        timers[name] = partial(seconds, program, *args)
        row[f"compile, {name}, s"] = round(compile_s, 2)
        row[f"chunk, {name}"] = chunk
        answer = np.asarray(program(*args))
    stack = jnp.repeat(rows, contest.num_samples, 0)
    program = compiled(jax.vmap(f, in_axes=(0, None)), stack, layers)[0]
    timers["floor"] = partial(seconds, program, stack, layers)
    if worker is not None:
        every = [
            {"peer": contest.peer, "threads": threads, "options": options}
            for threads in sorted({1, os.cpu_count() or 1})
            for options in contest.settings
        ]
        best = min(every, key=lambda s: min(worker.seconds(s) for _ in range(2)))
        timers[contest.peer] = partial(worker.seconds, best)
        row["setting"] = best["options"] | {"threads": best["threads"]}
    for time in timers.values():
        time()
    runs = [{name: time() for name, time in timers.items()} for _ in range(rounds)]
    for name in timers:
        row[f"{name}, ms"] = round(1e3 * statistics.median(r[name] for r in runs), 2)
    if worker is not None:
        for name in list(timers)[:3]:
            ratios = [r[name] / r[contest.peer] for r in runs]
            row[f"{name} / {contest.peer}"] = round(statistics.median(ratios), 4)
        theirs = np.load(folder / "answer.npy")
        row["correlation"] = round(np.corrcoef(answer.ravel(), theirs.ravel())[0, 1], 4)
    bytes_of = {times: memory(contest, args, times) for times in (1, 8)}
    row["memory, MB"] = round(bytes_of[1] / 1e6, 2)
    row["with 8 times the samples, MB"] = round(bytes_of[8] / 1e6, 2)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.perturbation_speed"
    )
    parser.add_argument("--rounds", type=int, default=10)
    names = [contest.name for contest in CONTESTS]
    parser.add_argument("--only", nargs="+", default=names, choices=names)
    parser.add_argument("--out", type=Path, help="write the rows as JSON, too")
    options = parser.parse_args()
    layers, python = params(), os.environ.get("JAXPLAIN_PEERS")
    training = jax.random.normal(jax.random.key(1), (500, COLUMNS))
    args = (training[:ROWS], layers, jax.random.key(2))
    weights = {"rows": training[:ROWS], "training": training}
    for i, (kernel, bias) in enumerate(layers):
        weights |= {f"kernel{i}": kernel, f"bias{i}": bias}
    load = f"load {os.getloadavg()[0]:.1f}"
    print(f"jax {jax.__version__}, {jax.devices()[0].platform}, {load}", flush=True)
    if not python:
        print("No peers: JAXPLAIN_PEERS does not name a Python that has them.")
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.savez(folder / "mlp.npz", **jax.tree.map(np.asarray, weights))
        worker = Worker(python, folder) if python else None
        for contest in CONTESTS:
            if contest.name not in options.only:
                continue
            rows.append(compare(contest, args, worker, folder, options.rounds))
            print(json.dumps(rows[-1], indent=2), flush=True)
        if worker is not None:
            worker.close()
    if options.out:
        options.out.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
