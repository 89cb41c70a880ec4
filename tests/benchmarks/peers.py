"""Integrated gradients beside Captum's: same weights, same answer, same run.

    JAXPLAIN_PEERS=/path/to/python python -m tests.benchmarks.peers [--rounds 40]

The variable names a Python with PyTorch and Captum, which are no dependency of ours.
Both libraries run at the fastest of their settings: ours of some chunk sizes, Captum of
some batch sizes, numbers of threads and memory layouts. Runs alternate, so that the
drift of the machine meets both alike, and never overlap. The floor, in the same rounds,
is what a user would write without us: `jax.vmap(jax.grad(f))` over all nodes at once,
and a weighted sum. Read the ratios: seconds are those of a shared machine.
"""

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

import jaxplain as jx
from experiments.traffic.model import LSTM

from .measure import seconds

STEPS = 64
WORKER = Path(__file__).with_name("captum_worker.py")
MISSING = """\
JAXPLAIN_PEERS must name a Python that has PyTorch and Captum. Make one with
    python3 -m venv .venv-peers
    .venv-peers/bin/pip install torch captum
    JAXPLAIN_PEERS=.venv-peers/bin/python python -m tests.benchmarks.peers"""


class Peer(NamedTuple):
    """A model to explain: for us a function, for Captum its weights."""

    name: str
    f: Callable[..., Any]
    x: jax.Array
    params: Any
    weights: dict[str, np.ndarray]
    to_ours: tuple[int, ...]  # the axes of Captum's answer, in our order


class CNN(nn.Module):
    """Three convolutions with ReLU and max pooling, and a linear layer."""

    widths: tuple[int, ...]

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for width in self.widths:
            x = nn.max_pool(nn.relu(nn.Conv(width, (3, 3))(x)), (2, 2), (2, 2))
        return nn.Dense(10)(x.reshape(-1))


def cnn(widths: tuple[int, ...]) -> Peer:
    model, x = CNN(widths), jax.random.uniform(jax.random.key(0), (32, 32, 3))
    params = model.init(jax.random.key(1), x)
    p = jax.tree.map(np.asarray, params["params"])
    weights = {"x": np.asarray(x).transpose(2, 0, 1)}
    for i in range(3):
        weights[f"kernel{i}"] = p[f"Conv_{i}"]["kernel"].transpose(3, 2, 0, 1)
        weights[f"bias{i}"] = p[f"Conv_{i}"]["bias"]
    dense = p["Dense_0"]["kernel"].reshape(4, 4, widths[-1], 10)
    weights["dense_kernel"] = dense.transpose(3, 2, 0, 1).reshape(10, -1)
    weights["dense_bias"] = p["Dense_0"]["bias"]
    score = lambda x, params: model.apply(params, x)[0]
    name = f"CNN {'-'.join(map(str, widths))} on 32x32x3"
    return Peer(name, score, x, params, weights, (1, 2, 0))


def lstm(num_units: int, hours: int, columns: int) -> Peer:
    model, x = LSTM(num_units), jax.random.normal(jax.random.key(0), (hours, columns))
    params = model.init(jax.random.key(1), x[None])
    p = jax.tree.map(np.asarray, params["params"])
    cell = p["OptimizedLSTMCell_0"]
    gather = lambda side, what: [cell[side + gate][what] for gate in "ifgo"]
    bias = np.concatenate(gather("h", "bias"))
    weights = {
        "x": np.asarray(x),
        "weight_ih": np.concatenate(gather("i", "kernel"), 1).T,
        "weight_hh": np.concatenate(gather("h", "kernel"), 1).T,
        "bias_ih": np.zeros_like(bias),
        "bias_hh": bias,
        "dense_kernel": p["volume"]["kernel"].T,
        "dense_bias": p["volume"]["bias"],
    }
    forecast = lambda x, params: model.apply(params, x[None])[0]
    name = f"LSTM({num_units}) over {hours} hours x {columns}"
    return Peer(name, forecast, x, params, weights, (0, 1))


def ours(peer: Peer) -> dict[Any, Any]:
    """Our program for each chunk size."""

    def compiled(chunk: int | None) -> Any:
        ig = jx.integrated_gradients(peer.f, steps=STEPS, chunk_size=chunk)
        explain = jax.jit(lambda x, params: ig(x, params, baseline=0.0))
        return explain.lower(peer.x, peer.params).compile()

    return {chunk: compiled(chunk) for chunk in (None, 32, 16, 8)}


def floor(peer: Peer) -> Any:
    """Integrated gradients as one would write them in plain JAX."""
    nodes, weights = np.polynomial.legendre.leggauss(STEPS)
    nodes = jnp.asarray((nodes + 1) / 2, jnp.float32)
    weights = jnp.asarray(weights / 2, jnp.float32)

    def explain(x: jax.Array, params: Any) -> jax.Array:
        gradient = jax.vmap(lambda t: jax.grad(peer.f)(t * x, params))
        return x * jnp.tensordot(weights, gradient(nodes), 1)

    return jax.jit(explain).lower(peer.x, peer.params).compile()


class Captum:
    """A process that waits for settings: no thread of it runs while we do."""

    def __init__(self, python: str, peer: Peer, folder: Path):
        self.answer = folder / "answer.npy"
        weights = {k: np.ascontiguousarray(v) for k, v in peer.weights.items()}
        np.savez(folder / "weights.npz", **weights)
        self.process = subprocess.Popen(
            [python, str(WORKER), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.version = self._line().strip()

    def _line(self) -> str:
        line = self.process.stdout.readline()
        return line or sys.exit("Captum's process ended: see its message above.")

    def seconds(self, setting: dict[str, Any]) -> float:
        self.process.stdin.write(json.dumps(setting) + "\n")
        self.process.stdin.flush()
        return float(self._line())

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def settings(peer: Peer) -> Iterator[dict[str, Any]]:
    layouts = ("contiguous_format", "channels_last") if peer.x.ndim == 3 else (None,)
    threads = sorted({1, os.cpu_count() or 1})
    for t, batch, layout in itertools.product(threads, (None, 8, 16, 32), layouts):
        yield {"threads": t, "batch": batch, "layout": layout, "steps": STEPS}


def fastest(candidates: list[Any], time: Callable[[Any], float]) -> Any:
    """The candidate with the best of five runs, after one to warm up."""
    for candidate in candidates:
        time(candidate)
    return min(candidates, key=lambda candidate: min(time(candidate) for _ in range(5)))


def compare(peer: Peer, python: str, rounds: int) -> dict[str, Any]:
    """One line of the table."""
    args = (peer.x, peer.params)
    programs, plain = ours(peer), floor(peer)
    with tempfile.TemporaryDirectory() as folder:
        captum = Captum(python, peer, Path(folder))
        setting = fastest(list(settings(peer)), captum.seconds)
        chunk = fastest(list(programs), lambda c: seconds(programs[c], *args))
        timers = {
            "jaxplain": lambda: seconds(programs[chunk], *args),
            "Captum": lambda: captum.seconds(setting),
            "plain JAX": lambda: seconds(plain, *args),
        }
        runs = [{name: time() for name, time in timers.items()} for _ in range(rounds)]
        theirs = np.load(captum.answer).transpose(peer.to_ours)
        captum.close()
    answer = np.asarray(programs[chunk](*args))
    ratio = lambda name: [run[name] / run["Captum"] for run in runs]
    best = {name: min(run[name] for run in runs) for name in timers}
    median = {name: statistics.median(run[name] for run in runs) for name in timers}
    return {
        "model": peer.name,
        **{f"{name}, ms": round(1e3 * median[name], 1) for name in timers},
        "jaxplain / Captum": round(statistics.median(ratio("jaxplain")), 2),
        "of the fastest runs": round(best["jaxplain"] / best["Captum"], 2),
        "plain JAX / Captum": round(statistics.median(ratio("plain JAX")), 2),
        "chunk": chunk,
        "batch": setting["batch"],
        "threads": setting["threads"],
        "layout": setting["layout"],
        "difference": f"{abs(answer - theirs).max() / abs(theirs).max():.0e}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.peers")
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    python = os.environ.get("JAXPLAIN_PEERS")
    if not python or not Path(python).exists():
        sys.exit(MISSING)
    print(f"jax {jax.__version__}, load {os.getloadavg()[0]:.1f}", flush=True)
    for peer in (cnn((16, 32, 32)), cnn((32, 64, 64)), lstm(64, 168, 14)):
        print(json.dumps(compare(peer, python, options.rounds), indent=2), flush=True)
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
