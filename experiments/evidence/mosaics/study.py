"""The study: a network and its mosaics for each seed, and where the maps point."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from experiments.common import Clock
from experiments.evidence.mosaics import explain
from experiments.pictures import data, measure, model
from experiments.pictures.explain import (
    Examples,
    compile_method,
    examples,
    explain_all,
    split,
)
from experiments.pictures.study import CHUNK
from jaxplain import metrics

PER_CLASS, QUICK_PER_CLASS = 8, 4
DRAWN = 6  # mosaics for each that is explained
NUM_TESTED = 500  # mosaics for the accuracy


class Trained(NamedTuple):
    """What one seed brings."""

    params: Any
    untrained: Any
    examples: Examples  # mosaics where the network sees the class
    regions: np.ndarray  # (n, SIZE, SIZE), bool: the quarter that holds it
    accuracy: float  # over classes and held-out mosaics
    grey: float  # mean of the training pictures


class Places(NamedTuple):
    """Means over the mosaics of each seed, `(seeds,)`."""

    relevance_mass: np.ndarray
    pointing_game: np.ndarray


def train(seed: int, quick: bool, clock: Clock) -> Trained:
    """A network that was trained from scratch, and mosaics that it is right about."""
    rng = np.random.default_rng(seed)
    ours, held_out = data.sources("train"), data.sources("held_out")
    untrained = model.initial(seed)
    steps = model.QUICK_STEPS if quick else (model.TILE_STEPS, model.MOSAIC_STEPS)
    params = model.train(rng, untrained, ours, lambda _: None, steps)
    kinds = data.random_kinds(rng, (NUM_TESTED, data.GRID, data.GRID))
    seen, unseen = (data.draw_mosaics(rng, kinds, side) for side in (ours, held_out))
    accuracy = model.accuracy(params, unseen)["mean"]
    per_class = QUICK_PER_CLASS if quick else PER_CLASS
    examples, regions = choose(rng, params, held_out, seed, per_class)
    clock.say(f"seed {seed}: held-out accuracy {accuracy:.3f}")
    return Trained(
        params, untrained, examples, regions, accuracy, float(seen.images.mean())
    )


def choose(
    rng: np.random.Generator,
    params: Any,
    held_out: data.Sources,
    seed: int,
    per_class: int,
) -> tuple[Examples, np.ndarray]:
    """Mosaics with one tile of a class that the network sees there, class by class."""
    asked = np.repeat(np.arange(len(data.CLASSES)), DRAWN * per_class)
    kinds = data.single_kinds(rng, asked)
    drawn = data.draw_mosaics(rng, kinds, held_out)
    seen = measure.scores(params, drawn.images, asked) > 0
    rows = [
        np.flatnonzero(seen & (asked == label))[:per_class]
        for label in range(len(data.CLASSES))
    ]
    if min(map(len, rows)) < per_class:
        raise ValueError(
            f"Expected {per_class} mosaics of each class that the network sees, got "
            f"{dict(zip(data.CLASSES, map(len, rows), strict=True))} for seed {seed}. "
            "Train for more steps, or take another seed."
        )
    chosen = np.concatenate(rows)
    regions = [data.true_region(kinds[row], asked[row]) for row in chosen]
    key = jax.random.key(seed)
    return examples(drawn.images[chosen], asked[chosen], key), np.stack(regions)


def explained(
    seeds: Sequence[Trained], quick: bool, clock: Clock
) -> dict[str, tuple[list[np.ndarray], list[np.ndarray]]]:
    """The maps of each seed by every explainer, and those of its untrained twin.

    One program for all seeds, and so one baseline: the mean grey level of the first.
    The twins are asked about every other chunk.
    """
    num_groups = max(int(s.examples.superpixels.max()) for s in seeds) + 1
    chunks = [split(s.examples, CHUNK) for s in seeds]
    found = {}
    for name, method in explain.methods(seeds[0].grey, num_groups).items():
        if quick and name in explain.SAMPLED:
            continue
        program = compile_method(method, seeds[0].params, chunks[0][0])
        found[name] = (
            [
                explain_all(program, seed.params, parts)
                for seed, parts in zip(seeds, chunks, strict=True)
            ],
            [
                explain_all(program, seed.untrained, parts[::2])
                for seed, parts in zip(seeds, chunks, strict=True)
            ],
        )
        clock.say(name)
    return found


def places(maps: Sequence[np.ndarray], regions: Sequence[np.ndarray]) -> Places:
    """Where maps point, for each seed; without positive entries, nowhere."""
    mass, hits = (
        np.array(
            [
                np.nan_to_num(of(*pair)).mean()
                for pair in zip(maps, regions, strict=True)
            ]
        )
        for of in (relevance_mass, pointing_game)
    )
    return Places(mass, hits)


relevance_mass = jax.jit(jax.vmap(metrics.relevance_mass))
pointing_game = jax.jit(jax.vmap(metrics.pointing_game))


def scores(
    seeds: Sequence[Trained],
    found: Mapping[str, tuple[list[np.ndarray], list[np.ndarray]]],
) -> dict[str, tuple[Places, Places | None]]:
    """Every explainer, trained and untrained, and maps that know no network."""
    regions = [seed.regions for seed in seeds]
    every_other = [np.concatenate(np.split(r, len(r) // CHUNK)[::2]) for r in regions]
    rng = np.random.default_rng(0)
    controls = [measure.controls(seed.examples.images, rng) for seed in seeds]
    return {
        name: (places(maps, regions), places(twins, every_other))
        for name, (maps, twins) in found.items()
    } | {
        name: (places([maps[name] for maps in controls], regions), None)
        for name in measure.CONTROLS
    }
