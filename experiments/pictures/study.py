"""The study: which pictures are explained, and every number that is reported."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from experiments.common import Clock, mean_and_error
from experiments.pictures import data, explain, measure, scene
from experiments.pictures.explain import Examples

PER_CLASS, QUICK_PER_CLASS = 12, 4  # mosaics explained
CHUNK = 4  # pictures at once
FACE = data.CLASSES.index("face")


class Pictures(NamedTuple):
    """Held-out pictures that the model is right about, and where it must look."""

    examples: Examples
    regions: np.ndarray  # (n, SIZE, SIZE), bool
    log_odds: np.ndarray  # (n,)
    recognised: dict[str, float]  # by class, of all mosaics drawn
    num_mosaics: int  # they come first, the windows of the portrait after them


def choose(
    rng: np.random.Generator,
    params: Any,
    pictures: data.Sources,
    key: jax.Array,
    per_class: int = PER_CLASS,
) -> Pictures:
    """Mosaics with one tile of a class that the model sees there, and the portrait.

    Why a model says "no" where the answer is "yes" is another question.
    """
    asked = np.repeat(np.arange(len(data.CLASSES)), 2 * per_class)
    drawn = data.draw_mosaics(rng, data.single_kinds(rng, asked), pictures)
    seen = measure.scores(params, drawn.images, asked) > 0
    chosen = []
    for label, name in enumerate(data.CLASSES):
        rows = np.flatnonzero(seen & (asked == label))[:per_class]
        if len(rows) < per_class:
            raise ValueError(
                f"Expected {per_class} mosaics where the model sees its {name}, got "
                f"{len(rows)} of {2 * per_class} drawn. Train for more steps."
            )
        chosen.append(rows)
    rows = np.concatenate(chosen)
    windows = scene.windows()
    images = np.concatenate([drawn.images[rows], windows.images])
    labels = np.append(asked[rows], np.full(len(windows.images), FACE))
    regions = [data.true_region(drawn.kinds[row], asked[row]) for row in rows]
    return Pictures(
        explain.examples(images, labels, key),
        np.concatenate([regions, windows.regions]),
        measure.scores(params, images, labels),
        {c: float(seen[asked == i].mean()) for i, c in enumerate(data.CLASSES)},
        len(rows),
    )


class Findings(NamedTuple):
    """The maps of one explainer, and the seconds they took."""

    maps: np.ndarray
    untrained: np.ndarray  # the same, of a model that has learnt nothing
    seconds: dict[str, float]


def explain_pictures(
    pictures: Pictures, params: Any, untrained: Any, baseline: float, clock: Clock
) -> dict[str, Findings]:
    """The maps of every explainer, of the model and of its untrained twin."""
    chunks = explain.split(pictures.examples, CHUNK)
    num_groups = int(pictures.examples.superpixels.max()) + 1
    findings = {}
    for name, method in explain.methods(baseline, num_groups).items():
        begin = clock.total()
        program = explain.compile_method(method, params, chunks[0])
        compiled = clock.total()
        maps = explain.explain_all(program, params, chunks)
        seconds = {"compile": compiled - begin, "run": clock.total() - compiled}
        seconds = {stage: round(value, 2) for stage, value in seconds.items()}
        twin = explain.explain_all(program, untrained, chunks)
        findings[name] = Findings(maps, twin, seconds)
        clock.say(f"{name}: {seconds['compile']:.1f} s + {seconds['run']:.1f} s")
    return findings


def report(
    pictures: Pictures,
    findings: Mapping[str, Findings],
    params: Any,
    baseline: float,
    rng: np.random.Generator,
) -> dict[str, dict[str, Any]]:
    """Every measure of every explainer, and of two controls, by name."""
    n, chunks = pictures.num_mosaics, explain.split(pictures.examples, CHUNK)
    program = measure.faithfulness(baseline)
    maps = {name: found.maps for name, found in findings.items()}
    maps |= measure.controls(pictures.examples.images, rng)
    numbers = {}
    for name, values in maps.items():
        faithful = measure.measure_all(program, params, chunks, values)
        share = measure.share_inside(values, pictures.regions)
        pointing = measure.pointing(values, pictures.regions)
        numbers[name] = {
            "share_inside": mean_and_error(share[:n]),
            "share_inside_by_class": by_class(pictures, share),
            "pointing_game": mean_and_error(pointing[:n]),
            "deletion_area": mean_and_error(faithful.deletion[:n]),
            "insertion_area": mean_and_error(faithful.insertion[:n]),
            "portrait": portrait(pictures, share, pointing),
        }
        if name in explain.COMPLETE:
            gap = np.abs(faithful.gap[:n])
            numbers[name]["absolute_completeness_gap"] = mean_and_error(gap)
        if name in findings:
            twin = measure.share_inside(findings[name].untrained, pictures.regions)
            numbers[name]["share_inside_untrained"] = mean_and_error(twin[:n])
            numbers[name]["seconds"] = findings[name].seconds
    return numbers


def by_class(pictures: Pictures, values: np.ndarray) -> dict[str, float]:
    """Mean over the mosaics of each class."""
    labels = pictures.examples.labels[: pictures.num_mosaics]
    values = values[: pictures.num_mosaics]
    return {c: float(values[labels == i].mean()) for i, c in enumerate(data.CLASSES)}


def portrait(
    pictures: Pictures, share: np.ndarray, pointing: np.ndarray
) -> dict[str, float]:
    """Means over the windows of the portrait where the face is seen.

    Without errors: the windows overlap, so they are one photograph and not many.
    """
    n = pictures.num_mosaics
    seen = pictures.log_odds[n:] > 0
    if not seen.any():
        return {}
    return {
        "share_inside": float(share[n:][seen].mean()),
        "pointing_game": float(pointing[n:][seen].mean()),
    }
