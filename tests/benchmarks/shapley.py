"""Squared errors of Shapley values at equal numbers of evaluations, beside the peers'.

    JAXPLAIN_PEERS=/path/to/python python -m tests.benchmarks.shapley --cache FOLDER

The variable names a Python with scikit-learn and the peers, which are no dependency of
ours. The folder keeps the games, and what the peers made of them: with the same folder
a run without the variable estimates ours again, and compares. One table per budget, of
evaluations per player, the empty and the full coalition among them. An entry is the
mean over instances and seeds of `|found - exact|^2 / |exact|^2`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import jaxplain as jx

from . import games, games_flax

GAMES = (
    "MLP probability, 13",
    "LSTM probability, 12",
    "CNN logit, 16",
    "CNN probability, 16",
    "tree, 8",
    "forest, 10",
    "boosted trees, 14",
    "boosted trees, 30",
)
METHODS = ("gp", "gp_per_player", "leverage", "kernel", "msr", "permutation")
EXACT = 1e-9  # below which an error is that of rounding, and ratios say nothing
MISSING = """\
There are no games yet. JAXPLAIN_PEERS must name a Python that makes them:
    python3.12 -m venv .venv-peers
    .venv-peers/bin/pip install torch captum shap shapiq lightgbm xgboost scikit-learn
    JAXPLAIN_PEERS=.venv-peers/bin/python python -m tests.benchmarks.shapley"""


class Result(NamedTuple):
    """What one estimator found in one game: arrays of shape `(instances, seeds)`.

    Attributes:
        errors: Relative squared errors.
        coverage: Share of players whose 95 % interval holds the exact value.
        evaluations: The most that one estimate took.
        source: Whose it is, with the version.
    """

    errors: np.ndarray
    coverage: np.ndarray | None
    evaluations: int
    source: str


Found = dict[tuple[int, str, str], Result]


def run(python: str, module: str, *args: Any) -> None:
    """A module of this folder, by the peers' Python."""
    command = [python, "-m", f"tests.benchmarks.{module}", *map(str, args)]
    subprocess.run(command, cwd=Path(__file__).parents[2], check=True)


def gather(folder: Path, python: str | None, instances: int) -> dict[str, games.Game]:
    """The games of a folder, made if it has none."""
    if not (folder / "sklearn.npz").exists():
        run(
            python or sys.exit(MISSING),
            "games_sklearn",
            folder,
            "--instances",
            instances,
        )
    if not (folder / "flax.npz").exists():
        games.save(
            folder / "flax.npz", games_flax.build(folder / "digits.npz", instances)
        )
    found = games.load(folder / "sklearn.npz") | games.load(folder / "flax.npz")
    if min(len(game.tables) for game in found.values()) < instances:
        sys.exit(f"{folder} holds fewer than {instances} instances: name another one.")
    return found


def ours(game: games.Game, method: str, budget: int, options: Any) -> Result:
    d, k = game.num_players, game.players.shape[1]
    terms, place = np.arange(len(game.players)), 1 << np.arange(k, dtype=np.int32)
    tables, exact = jnp.asarray(game.tables), jnp.asarray(games.shapley(game))

    def v(x: jax.Array, tables: jax.Array) -> jax.Array:
        present = (x[game.players] > 0.5).astype(jnp.int32)
        return tables[terms, present @ place].sum()

    fit = jx.shapley_fit(v, method=method, num_samples=min(budget * d, 2**d) - 2)

    def one(run: jax.Array) -> tuple[jax.Array, ...]:
        i, seed = run
        key = jax.random.fold_in(jax.random.key(seed), i)
        found = fit(jnp.ones(d, tables.dtype), tables[i], baseline=0.0, key=key)
        error = found.values - exact[i]
        # Rounding of an exact value is no miss.
        slack = 1e-6 * jnp.abs(exact[i]).max()
        inside = jnp.abs(error) <= 1.96 * found.standard_error + slack
        return (
            (error**2).sum() / (exact[i] ** 2).sum(),
            inside.mean(),
            found.evaluations,
        )

    shape = (options.instances, options.seeds)
    runs = jnp.stack(jnp.meshgrid(*map(jnp.arange, shape), indexing="ij"), -1)
    each = jax.jit(lambda runs: jax.lax.map(one, runs))(runs.reshape(-1, 2))
    errors, coverage, evaluations = map(np.asarray, each)
    source = f"jaxplain {jx.__version__}"
    return Result(
        errors.reshape(shape), coverage.reshape(shape), int(evaluations.max()), source
    )


def theirs(folder: Path, options: argparse.Namespace) -> Found:
    """What the folder knows of the peers, cut to the runs of this comparison."""
    path, found = folder / "peers.jsonl", {}
    for line in path.read_text().splitlines() if path.exists() else []:
        row = json.loads(line)
        if "errors" in row:
            errors = np.array(row["errors"])[: options.instances, : options.seeds]
            key = row["budget"], row["game"], row["estimator"]
            name = f"{row['estimator'].split()[0]} {row['version']}"
            found[key] = Result(errors, None, row["evaluations"], name)
    return found


def ratio(peer: Result, own: Result) -> float:
    """Their error over ours, on the instances and seeds that both have."""
    rows, columns = peer.errors.shape
    mine = own.errors[:rows, :columns].mean()
    return max(peer.errors.mean(), EXACT) / max(mine, EXACT)


def show(number: float) -> str:
    return "exact" if number < EXACT else f"{number:.1e}"


def table(budget: int, mine: Found, peers: Found, options: Any) -> Iterator[str]:
    """Markdown: an estimator per row, a game per column."""
    line = lambda cells: "| " + " | ".join(cells) + " |"
    both = mine | peers
    estimators = dict.fromkeys(name for b, _, name in both if b == budget)
    yield f"\n**{budget} evaluations per player**\n"
    yield line(["", *options.games])
    yield "|---" * (1 + len(options.games)) + "|"
    for name in estimators:
        cells = [both.get((budget, game, name)) for game in options.games]
        yield line([name, *("" if c is None else show(c.errors.mean()) for c in cells)])
    for method in options.methods:
        cells = []
        for game in options.games:
            own = mine[budget, game, f"jaxplain {method}"]
            known = (key for key in peers if key[:2] == (budget, game))
            ratios = [(ratio(peers[key], own), key[2]) for key in known]
            best = min(ratios, default=(np.nan, "no peer"))
            cells.append(f"{best[0]:.2g} ({best[1]})")
        yield line([f"**best peer / {method}**", *cells])
    for method in options.methods:
        own = [mine[budget, game, f"jaxplain {method}"] for game in options.games]
        cells = [f"{100 * cell.coverage.mean():.0f} %" for cell in own]
        yield line([f"coverage of {method}", *cells])


def as_json(found: Found) -> list[dict[str, Any]]:
    return [
        {
            "budget": budget,
            "game": game,
            "estimator": name,
            "error": float(result.errors.mean()),
            "instances": result.errors.shape[0],
            "seeds": result.errors.shape[1],
            "coverage": None
            if result.coverage is None
            else float(result.coverage.mean()),
            "evaluations": result.evaluations,
            "source": result.source,
        }
        for (budget, game, name), result in found.items()
    ]


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.shapley")
    parser.add_argument("--instances", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--budgets", type=int, nargs="+", default=[10, 20, 5, 100])
    parser.add_argument("--games", nargs="+", default=GAMES, choices=GAMES)
    parser.add_argument("--methods", nargs="+", default=METHODS, choices=METHODS)
    parser.add_argument("--cache", type=Path, help="folder for games and peers' errors")
    parser.add_argument("--float32", action="store_true", help="as JAX does by default")
    parser.add_argument("--out", type=Path, help="write all errors as JSON, too")
    return parser.parse_args()


def compare(folder: Path, options: argparse.Namespace) -> None:
    python = os.environ.get("JAXPLAIN_PEERS")
    jax.config.update("jax_enable_x64", not options.float32)
    every = gather(folder, python, options.instances)
    if python:
        sizes = {key: getattr(options, key) for key in ("instances", "seeds")}
        flags = [part for key, n in sizes.items() for part in (f"--{key}", n)]
        lists = ["--budgets", *options.budgets, "--games", *options.games]
        run(python, "shapley_peers", folder, *lists, *flags)
    peers, mine = theirs(folder, options), {}
    for budget in options.budgets:
        for name in options.games:
            for method in options.methods:
                found = ours(every[name], method, budget, options)
                mine[budget, name, f"jaxplain {method}"] = found
        print("\n".join(table(budget, mine, peers, options)), flush=True)
    if options.out:
        options.out.write_text(json.dumps(as_json(mine | peers), indent=1))


def main() -> None:
    options = parsed()
    if options.cache:
        options.cache.mkdir(parents=True, exist_ok=True)
        compare(options.cache.resolve(), options)
    else:
        with tempfile.TemporaryDirectory() as folder:
            compare(Path(folder), options)


if __name__ == "__main__":
    main()
