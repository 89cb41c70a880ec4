"""What is trained, explained and compared with what."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np

from experiments.common import Clock
from experiments.evidence import seeds
from experiments.evidence.programs import each
from experiments.evidence.sanity import data, measure, model
from experiments.evidence.sanity.measure import SIMILARITIES, Programs
from jaxplain import evidence

NUM_IMAGES, QUICK_IMAGES = 48, 12
TESTS = ("cascading", "independent", "smooth")


class Models(NamedTuple):
    """Of one seed: networks that are alike but for what they have learnt."""

    trained: Any
    by_heart: Any  # the same pictures, with labels that are shuffled
    untrained: Any
    accuracy: dict[str, float]


class Found(NamedTuple):
    """Of one explainer and seed: similarities `(n, layers + 1)` by test and name."""

    maps: np.ndarray  # (n, layers + 1, height, width), of the cascade
    curves: Mapping[str, Mapping[str, np.ndarray]]
    rise: np.ndarray  # (n,), of complexity
    by_heart: Mapping[str, np.ndarray]  # (n,), by similarity
    twin: Mapping[str, np.ndarray]  # (n,), by similarity


def train(
    train: data.Digits, held_out: data.Digits, seed: int, steps: tuple[int, int]
) -> Models:
    """One network for the digits, one for nonsense, one for nothing."""
    rng, key = np.random.default_rng(seed), jax.random.key(seed)
    shuffled = data.Digits(train.images, rng.permutation(train.labels))
    trained = model.train(rng, key, train, steps[0])
    by_heart = model.train(rng, key, shuffled, steps[1])
    accuracy = {
        "held_out": model.accuracy(trained, held_out),
        "by_heart_on_its_labels": model.accuracy(by_heart, shuffled),
        "by_heart_held_out": model.accuracy(by_heart, held_out),
    }
    # Other noise than the network started from: some layers hardly move in training.
    untrained = model.initial(jax.random.fold_in(key, 1))
    return Models(trained, by_heart, untrained, accuracy)


def chosen(models: Sequence[Models], held_out: data.Digits, number: int) -> data.Digits:
    """The first held-out pictures that every trained network reads aright."""
    right = np.all(
        [model.predict(m.trained, held_out.images) == held_out.labels for m in models],
        axis=0,
    )
    rows = np.flatnonzero(right)[:number]
    if len(rows) < number:
        raise ValueError(
            f"Expected {number} pictures that all networks read aright, got "
            f"{len(rows)}. Train for more steps."
        )
    return data.Digits(*(a[rows] for a in held_out))


def examine(
    programs: Programs, pictures: data.Digits, models: Models, twin: Models
) -> Found:
    """Every test of one explainer, on the networks of one seed and of another."""
    shown = pictures.images, pictures.labels
    maps, curves = programs.tests(*shown, models.trained, models.untrained), {}
    for name, stages in maps.items():
        found = measure.similarities(stages[:, 0], stages)
        curves[name] = {k: np.asarray(v) for k, v in found.items()}
    own = programs.plain(*shown, models.trained)
    others = (programs.plain(*shown, m) for m in (models.by_heart, twin.trained))
    by_heart, twins = (measure.similarities(own, other[:, None]) for other in others)
    return Found(
        np.asarray(maps["cascading"]),
        curves,
        np.asarray(measure.complexity_rise(maps["cascading"])),
        {k: np.asarray(v)[:, 0] for k, v in by_heart.items()},
        {k: np.asarray(v)[:, 0] for k, v in twins.items()},
    )


def examine_all(
    programs: Mapping[str, Programs],
    pictures: data.Digits,
    models: Sequence[Models],
    clock: Clock,
) -> dict[str, list[Found]]:
    """Every explainer on every seed; the twin of a network is that of the next seed."""
    twins = [*models[1:], models[0]]

    def one(name: str) -> list[Found]:
        pairs = zip(models, twins, strict=True)
        found = [examine(programs[name], pictures, m, twin) for m, twin in pairs]
        clock.say(name)
        return found

    return dict(zip(programs, each(one, programs), strict=True))


def report(found: Sequence[Found]) -> dict[str, Any]:
    """The numbers of one explainer, over seeds."""
    curves = {
        test: {
            key: _curve([f.curves[test][key] for f in found]) for key in SIMILARITIES
        }
        for test in TESTS
    }
    return {
        "curves": curves,
        # Over all stages but the first, where nothing is randomised.
        "mean": {
            test: {
                key: seeds.interval(
                    [np.nanmean(f.curves[test][key][:, 1:]) for f in found]
                )
                for key in SIMILARITIES
            }
            for test in TESTS
        },
        "complexity_rise": _over_seeds([f.rise for f in found]),
        "by_heart": {
            k: _over_seeds([f.by_heart[k] for f in found]) for k in SIMILARITIES
        },
        "twin": {k: _over_seeds([f.twin[k] for f in found]) for k in SIMILARITIES},
        "constant_maps": float(
            np.mean([np.isnan(f.curves["cascading"]["rank"]) for f in found])
        ),
    }


def _curve(values: Sequence[np.ndarray]) -> list[dict[str, float]]:
    """Each stage, over seeds."""
    means = np.array([np.nanmean(v, axis=0) for v in values])
    return [seeds.interval(stage) for stage in means.T]


def _over_seeds(values: Sequence[np.ndarray]) -> dict[str, float]:
    return seeds.interval([np.nanmean(v) for v in values])


def compared(
    found: Mapping[str, Sequence[Found]], test: str, key: str, reference: str
) -> dict[str, dict[str, float]]:
    """Is each explainer more like itself than the reference, picture by picture?

    Paired sign-flip tests of the mean over stages and seeds, corrected by Holm: over
    pictures, with these networks given.
    """
    means = {name: _by_picture(of, test, key) for name, of in found.items()}
    others = [name for name in means if name != reference]
    test = jax.jit(partial(evidence.compare, key=jax.random.key(0)))
    tests = [test(means[name], means[reference]) for name in others]
    adjusted = evidence.holm(np.array([float(t.p_value) for t in tests]))
    return {
        name: {
            "difference": float(t.difference),
            "low": float(t.low),
            "high": float(t.high),
            "p_value": float(p),
        }
        for name, t, p in zip(others, tests, np.asarray(adjusted), strict=True)
    }


def _by_picture(found: Sequence[Found], test: str, key: str) -> np.ndarray:
    return np.nanmean([f.curves[test][key][:, 1:] for f in found], axis=(0, 2))
