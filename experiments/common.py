"""What every experiment shares: a folder, a clock, a training loop, a report."""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import jax
import numpy as np
import optax

PACKAGES = (
    "jaxplain",
    "jax",
    "jaxlib",
    "flax",
    "optax",
    "numpy",
    "scikit-image",
    "scikit-learn",
)


def parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """The command line of an experiment."""
    parser = argparse.ArgumentParser(
        f"python -m experiments.{name}", description=description
    )
    options(parser, Path("outputs") / name)
    return parser


def options(parser: argparse.ArgumentParser, out: Path) -> None:
    """What every experiment takes: `--out`, `--seed`, `--quick` and `--data`."""
    parser.add_argument("--out", type=Path, default=out)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--quick", action="store_true", help="in seconds, with larger errors"
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get("JAXPLAIN_DATA") or None,
        help="folder of real data; by default $JAXPLAIN_DATA, and without it none",
    )


def data_file(folder: Path | None, name: str, clock: "Clock") -> Path | None:
    """A file of the folder of real data; says so where there is none."""
    if folder is None:
        return None
    if (folder / name).is_file():
        return folder / name
    clock.say(f"no {name} in {folder}: the data are made up")
    return None


def output_folder(path: Path) -> Path:
    """Make sure the folder exists."""
    path.mkdir(parents=True, exist_ok=True)
    return path


class Clock:
    """Prints progress and remembers how long each stage took.

    Example:
        >>> clock = Clock()
        >>> clock.start("training")
        >>> clock.stop()
        >>> clock.seconds["training"]
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._begin = time.perf_counter()
        self._stage: tuple[str, float] | None = None

    def start(self, stage: str) -> None:
        """End the stage that runs, if any, and begin another."""
        self.stop()
        self._stage = stage, time.perf_counter()
        self.say(stage)

    def stop(self) -> None:
        """End the stage that runs, if any."""
        if self._stage is not None:
            stage, begin = self._stage
            self.seconds[stage] = round(time.perf_counter() - begin, 2)
            self._stage = None

    def total(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self._begin

    def say(self, message: str) -> None:
        """One progress line."""
        print(f"[{self.total():6.1f} s] {message}", flush=True)


def fit(
    loss: Callable[..., jax.Array],
    params: Any,
    batches: Iterable[tuple[Any, ...]],
    optimizer: optax.GradientTransformation,
    report: Callable[[int, float], None] | None = None,
    every: int = 100,
) -> Any:
    """Minimise `loss(params, *batch)`, one step per batch.

    A Python loop around one compiled step: on a CPU, XLA runs convolutions inside
    `scan` several times slower.
    """

    @jax.jit
    def step(params: Any, state: Any, *batch: Any) -> tuple[Any, Any, jax.Array]:
        value, gradient = jax.value_and_grad(loss)(params, *batch)
        updates, state = optimizer.update(gradient, state, params)
        return optax.apply_updates(params, updates), state, value

    state = optimizer.init(params)
    for i, batch in enumerate(batches, 1):
        params, state, value = step(params, state, *batch)
        if report is not None and i % every == 0:
            report(i, float(value))
    return params


def minibatches(
    rng: np.random.Generator, arrays: Sequence[np.ndarray], size: int, steps: int
) -> Iterable[tuple[np.ndarray, ...]]:
    """`steps` batches of `size` examples, drawn with replacement."""
    for _ in range(steps):
        rows = rng.integers(len(arrays[0]), size=size)
        yield tuple(array[rows] for array in arrays)


def mean_and_error(values: Any) -> dict[str, float]:
    """Mean over examples and its standard error."""
    values = np.asarray(values, float)
    error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return {"mean": float(values.mean()), "standard_error": float(error)}


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Names on the left, numbers aligned on the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    print(f"\n{_line(header, widths)}\n{rule}")
    for row in rows:
        print(_line(row, widths))
    print(flush=True)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = [(cell, width) for cell, width in zip(cells, widths, strict=True)]
    return "  ".join([first[0].ljust(first[1]), *(c.rjust(w) for c, w in rest)])


def versions() -> dict[str, str]:
    """What the numbers were computed with."""
    found = {"python": platform.python_version(), "device": jax.devices()[0].platform}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # run from a checkout that is not installed
            found[package] = "not installed"
    return found


def write_metrics(folder: Path, metrics: dict[str, Any]) -> Path:
    """Write `metrics.json`, readable and diffable."""
    path = folder / "metrics.json"
    text = json.dumps(metrics, indent=2, default=_plain, allow_nan=True)
    path.write_text(text + "\n")
    return path


def _plain(value: Any) -> Any:
    """NumPy and JAX values as the numbers and lists JSON knows."""
    if isinstance(value, Path):
        return str(value)
    return np.asarray(value).tolist()
