"""Several seeds: the options of a benchmark, and what its numbers say together."""

import argparse
import functools
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from experiments import common

NUM_SEEDS, QUICK_SEEDS = 5, 2


def parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """The command line of a benchmark: that of an experiment, and `--seeds`."""
    parser = argparse.ArgumentParser(
        f"python -m experiments.evidence.{name}", description=description
    )
    common.options(parser, Path("outputs") / "evidence" / name)
    parser.add_argument(
        "--seeds", type=int, help=f"how many, from --seed on; by default {NUM_SEEDS}"
    )
    return parser


def chosen(options: argparse.Namespace) -> list[int]:
    """The seeds to run."""
    commit()  # now, as the checkout may move on while they run
    default = QUICK_SEEDS if options.quick else NUM_SEEDS
    number = default if options.seeds is None else options.seeds
    if number < 1:
        raise ValueError(f"Expected at least 1 seed, got {number}. Pass --seeds 5.")
    return list(range(options.seed, options.seed + number))


def interval(values: Any, level: float = 0.95) -> dict[str, float]:
    """The mean over seeds, and half the width of Student's interval for it."""
    values = np.asarray(values, float)
    if len(values) < 2:
        return {"mean": float(values.mean()), "half_width": float("nan")}
    error = values.std(ddof=1) / np.sqrt(len(values))
    t = stats.t.ppf((1 + level) / 2, len(values) - 1)
    return {"mean": float(values.mean()), "half_width": float(t * error)}


def cell(number: dict[str, float], places: int = 2) -> str:
    """A mean and its interval, as a table shows them."""
    return f"{number['mean']:.{places}f} ± {number['half_width']:.{places}f}"


def provenance(argv: Sequence[str] | None, name: str) -> dict[str, str]:
    """The command, and the commit that it ran on."""
    arguments = sys.argv[1:] if argv is None else argv
    command = " ".join(["python -m", f"experiments.evidence.{name}", *arguments])
    return {"command": command, "commit": commit()}


@functools.cache
def commit() -> str:
    """The commit of this checkout when first asked, marked if files were changed."""
    here = Path(__file__).parent
    git = ["git", "-C", str(here), "describe", "--always", "--dirty", "--abbrev=10"]
    try:
        return subprocess.run(git, capture_output=True, text=True).stdout.strip()
    except OSError:
        return ""
