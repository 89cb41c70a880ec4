"""One seed: four networks, what they read, and where they are said to look."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from experiments.evidence.shortcut import data, explain, model

WAYS = (model.PLAIN, model.RIGHT, model.PRIOR, model.CLEAN)
NUM_EXPLAINED, QUICK_EXPLAINED = 100, 24


class Findings(NamedTuple):
    """What one seed found.

    Attributes:
        source: Which digits.
        accuracy: By way of training and by mark.
        shares: By explainer and way, the mean share of attribution in the strip.
        told_apart: By explainer, how well the share tells the plain network from the
            one without a shortcut.
        images: Pictures for the figure, by mark.
        maps: Maps of the first, by way.
    """

    source: str
    accuracy: Mapping[str, Mapping[str, float]]
    shares: Mapping[str, Mapping[str, float]]
    told_apart: Mapping[str, float]
    images: Mapping[str, np.ndarray]
    maps: Mapping[str, np.ndarray]


def run(seed: int, folder: Path | None, quick: bool) -> Findings:
    source = data.source(folder, seed)
    mask = data.strip(data.size(source))
    rng = np.random.default_rng(seed + 1)
    marked = data.pictures(source.train, "right", rng)
    shuffled = data.pictures(source.train, "random", rng)
    steps = model.QUICK_STEPS if quick else model.STEPS
    params = {
        way: model.train(
            way,
            seed,
            (shuffled if way == model.CLEAN else marked, source.train.labels),
            mask,
            steps,
        )
        for way in WAYS
    }
    held_out = {
        mark: data.noisy(data.pictures(source.held_out, mark, rng), rng)
        for mark in data.MARKS
    }
    labels = source.held_out.labels
    accuracy = {way: model.accuracies(params[way], held_out, labels) for way in WAYS}
    number = QUICK_EXPLAINED if quick else NUM_EXPLAINED
    images, chosen = held_out["right"][:number], labels[:number]
    reference = data.noisy(marked[: explain.NUM_SAMPLES], rng)
    found = explained(params, images, chosen, reference, mask)
    ig = {way: maps[0] for way, maps in found[EXAMPLE].items()}
    shares = {
        name: {way: explain.shares(maps, mask) for way, maps in by_way.items()}
        for name, by_way in found.items()
    }
    return Findings(
        source.name,
        accuracy,
        {n: {w: float(s.mean()) for w, s in row.items()} for n, row in shares.items()},
        {
            n: explain.told_apart(row[model.PLAIN], row[model.CLEAN])
            for n, row in shares.items()
        },
        {mark: images[0] for mark, images in held_out.items()},
        ig,
    )


EXAMPLE = "integrated gradients"


def explained(
    params: Mapping[str, Any],
    images: np.ndarray,
    labels: np.ndarray,
    reference: np.ndarray,
    mask: np.ndarray,
) -> dict[str, dict[str, np.ndarray]]:
    """Maps by explainer and way; controls are the same for every network."""
    found = {
        name: {
            way: explain.maps(name, params[way], images, labels, reference)
            for way in WAYS
        }
        for name in explain.methods(images.shape[1])
    }
    for name, control in explain.CONTROLS.items():
        found[name] = dict.fromkeys(WAYS, control(images))
    return found
