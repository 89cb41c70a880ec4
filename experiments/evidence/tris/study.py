"""The study: networks, pictures, maps and their scores, one setting at a time."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import jax
import numpy as np

from experiments.evidence.tris import explain, model, transport
from experiments.evidence.tris.data import SETTINGS, Pictures, Setting, draw
from jaxplain import metrics

CRITERION = 0.8  # of test pictures, that the paper asks of a network
NUM_TEST = 1000


class Size(NamedTuple):
    """How much of everything."""

    train: int = 8000
    explained: int = 32  # test pictures of each seed
    quick: bool = False


class Scores(NamedTuple):
    """Means over pictures, by seed; NaN where a network misses the criterion."""

    precision: dict[str, np.ndarray]
    emd: dict[str, np.ndarray]


class Result(NamedTuple):
    """What was found in one setting."""

    accuracy: dict[str, np.ndarray]  # of each network, by seed
    explainers: dict[str, Scores]  # of each network that any seed brought so far
    controls: Scores
    shown: dict[str, Any]  # one picture, its mask, and its maps by network


def run(
    setting: Setting, seeds: Sequence[int], networks: Sequence[str], size: Size
) -> Result:
    """Draw, train, explain and score, all seeds at once."""
    train, test = stacked(setting, seeds, size)
    keys = jax.vmap(jax.random.key)(np.array(seeds))
    params = {
        name: trainer(name, size.quick)(train.images, train.labels, keys)
        for name in networks
    }
    right = {
        name: np.asarray(recogniser(name)(test.images, params[name], test.labels))
        for name in networks
    }
    accuracy = {name: values.mean(1) for name, values in right.items()}
    seen = recognised(right, accuracy)
    rows = np.stack([np.flatnonzero(s)[: size.explained] for s in seen])[
        ..., None, None
    ]
    images = np.take_along_axis(test.images, rows, 1)
    masks = np.take_along_axis(test.masks, rows, 1)
    labels = np.take_along_axis(test.labels, rows[..., 0, 0], 1)
    known = jax.tree.map(
        lambda *arrays: np.stack(arrays), *map(explain.known, train.images)
    )
    explainers, shown = {}, {"image": images[0, 0], "mask": masks[0, 0]}
    for name in networks:
        reached = accuracy[name] >= CRITERION
        if reached.any():
            order, program = explainers_of(name, size.quick)
            found = program(images, params[name], labels, known, keys)
            maps = {method: np.asarray(found[method]) for method in order}
            explainers[name] = scored(maps, masks, reached)
            shown[name] = {method: values[0, 0] for method, values in maps.items()}
    rng = np.random.default_rng([seeds[0], SETTINGS.index(setting)])
    controls = explain.controls(rng, images)
    shown["controls"] = {name: values[0, 0] for name, values in controls.items()}
    always = np.ones(len(seeds), bool)
    return Result(accuracy, explainers, scored(controls, masks, always), shown)


def stacked(
    setting: Setting, seeds: Sequence[int], size: Size
) -> tuple[Pictures, Pictures]:
    """Training and test pictures, with the seeds along their first axis.

    The norms and the largest magnitude that scale a set are those of both, as in the
    paper: two numbers, the same for every picture.
    """
    drawn = [
        draw(
            np.random.default_rng([seed, 1 + SETTINGS.index(setting)]),
            setting,
            size.train + NUM_TEST,
        )
        for seed in seeds
    ]
    whole = Pictures(*(np.stack(field) for field in zip(*drawn, strict=True)))
    first = Pictures(*(field[:, : size.train] for field in whole))
    return first, Pictures(*(field[:, size.train :] for field in whole))


def recognised(
    right: Mapping[str, np.ndarray], accuracy: Mapping[str, np.ndarray]
) -> np.ndarray:
    """Pictures that every network is right about, of those that reach the criterion.

    So all are asked about the same ones, as in the paper.
    """
    fit = {name: accuracy[name] >= CRITERION for name in right}
    return np.all([right[name] | ~fit[name][:, None] for name in right], axis=0)


def scored(
    maps: Mapping[str, np.ndarray], masks: np.ndarray, reached: np.ndarray
) -> Scores:
    """Precision and earth mover's score of each map, by their magnitudes."""
    flat = masks.reshape(-1, *masks.shape[2:])

    def by_seed(values: np.ndarray) -> np.ndarray:
        means = np.asarray(values, float).reshape(masks.shape[:2]).mean(1)
        return np.where(reached, means, np.nan)

    magnitudes = {name: np.abs(a).reshape(flat.shape) for name, a in maps.items()}
    return Scores(
        {name: by_seed(precision(a, flat)) for name, a in magnitudes.items()},
        {name: by_seed(transport.score(a, flat)) for name, a in magnitudes.items()},
    )


precision = jax.jit(jax.vmap(metrics.relevance_rank))


@cache
def trainer(name: str, quick: bool) -> Any:
    """The training of a network, compiled once for all settings."""
    recipe = model.RECIPES[name]
    return model.trainer(recipe, recipe.quick_steps if quick else recipe.steps)


@cache
def recogniser(name: str) -> Any:
    """The answers of a network, compiled once."""
    return model.recogniser(model.RECIPES[name])


@cache
def explainers_of(name: str, quick: bool) -> tuple[list[str], Any]:
    """The explainers of a network in their order, which JAX forgets; compiled once."""
    methods = explain.methods(model.RECIPES[name])
    left_out = explain.SAMPLED if quick else ()
    chosen = {k: method for k, method in methods.items() if k not in left_out}
    return list(chosen), explain.program(chosen)
