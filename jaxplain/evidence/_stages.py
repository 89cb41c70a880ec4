"""The stages of an evaluation, and the clock that times them."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from .. import metrics
from ..metrics._layers_of import first_use, layers_of
from ..metrics._randomisation import mixed
from ..metrics._vectors import vector
from . import _programs
from ._kinds import Kind
from ._measures import Settings
from ._types import Cascade, Curves


class Clock:
    """Seconds of each stage, and a line of progress for each."""

    def __init__(self, progress: Callable[[str], None] | None):
        self.seconds: dict[str, float] = {}
        self._progress = progress

    @contextlib.contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        self.seconds[stage] = round(time.perf_counter() - begin, 2)
        if self._progress is not None:
            self._progress(f"{stage}: {self.seconds[stage]:.1f} s")


@contextlib.contextmanager
def named(explainer: str) -> Iterator[None]:
    """Say which explainer an error belongs to."""
    try:
        yield
    except Exception as error:
        error.add_note(f"This happened in the explainer {explainer!r}.")
        raise


def available(kind: Kind, baseline: Any, masks: Any) -> set[str]:
    """The inputs that metrics may need."""
    found = {"explainer"}
    found |= {"baseline"} if baseline is not None else set()
    found |= {"masks"} if masks is not None else set()
    return found | ({"image"} if kind == "image" else set())


def spread(xs: PyTree) -> float:
    """The range of the data; one that is not finite does not spoil the others."""
    leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(xs)]
    known = [leaf[np.isfinite(leaf)] for leaf in leaves]
    low = min((float(leaf.min()) for leaf in known if leaf.size), default=0.0)
    high = max((float(leaf.max()) for leaf in known if leaf.size), default=0.0)
    return high - low or 1.0


def together(
    maps: Mapping[str, PyTree], names: Sequence[str], shares: bool
) -> list[list[str]]:
    """Names whose maps one call can judge: those of one shape, if the work is shared.

    Otherwise one by one, so that memory does not follow the number of explainers.
    """
    if not shares:
        return [[name] for name in names]
    alike: dict[Any, list[str]] = {}
    for name in names:
        leaves, treedef = jax.tree.flatten(maps[name])
        shapes = tuple((leaf.shape, leaf.dtype.name) for leaf in leaves)
        alike.setdefault((treedef, shapes), []).append(name)
    return list(alike.values())


def stacked(maps: Mapping[str, PyTree], names: Sequence[str]) -> PyTree:
    """The maps of every example, one after the other."""
    return jax.tree.map(lambda *a: np.stack(a, 1), *(maps[name] for name in names))


def keep(
    found: dict[str, Any],
    names: Sequence[str],
    scores: dict[str, dict[str, np.ndarray]],
    curves: dict[str, Curves],
) -> None:
    """File what a program returned: numbers, and curves with their area."""
    for metric, value in found.items():
        for i, name in enumerate(names):
            if isinstance(value, metrics.Curve):
                empty = Curves(np.asarray(value.fraction[0, 0]), {})
                of_metric = curves.setdefault(metric, empty)
                of_metric.values[name] = np.asarray(value.value[:, i])
            areas = value.area if isinstance(value, metrics.Curve) else value
            scores[metric][name] = np.asarray(areas[:, i])


def sensitivity(
    programs: Mapping[str, Callable[..., PyTree]],
    maps: Mapping[str, PyTree],
    settings: Settings,
    key: Any,
    xs: PyTree,
    args: tuple[PyTree, ...],
    over: Callable[..., Any],
) -> dict[str, np.ndarray]:
    """`metrics.max_sensitivity`, by the programs that explained already."""
    nearby = _programs.nearby(settings.radius, key)
    worst: dict[str, np.ndarray] = {}
    for i in range(settings.num_perturbed):
        there = over(partial(nearby, i), xs)
        for name, program in programs.items():
            with named(name):
                other = over(program, there, args)
            moved = over(_programs.changes, maps[name], other)
            worst[name] = np.maximum(worst[name], moved) if i else moved
    return worst


def cascade(
    runs: Mapping[str, Callable[..., PyTree]],
    programs: Mapping[str, Callable[..., PyTree]],
    params: PyTree,
    key: Any,
    first: tuple[PyTree, tuple[PyTree, ...]],
    over: Callable[..., Any],
) -> Cascade:
    """`metrics.parameter_randomisation`, by the programs that explained already."""
    x, args = jax.tree.map(lambda leaf: jnp.asarray(leaf[0]), first)
    layers, places = _layers(runs, params, x, args, key)
    drawn = metrics.randomised(params, key)
    found: dict[str, list[np.ndarray]] = {name: [] for name in programs}
    own: dict[str, PyTree] = {}
    for i in range(len(layers) + 1):
        model = mixed(params, drawn, [p < i for p in places], places, len(layers))
        for name, program in programs.items():
            with named(name):
                other = over(partial(program, model), *first)
            own.setdefault(name, other)
            found[name].append(over(_programs.similarity, own[name], other))
    return Cascade(layers, {name: np.stack(rows, 1) for name, rows in found.items()})


def _layers(
    runs: Mapping[str, Callable[..., PyTree]],
    params: PyTree,
    x: PyTree,
    args: tuple[PyTree, ...],
    key: Any,
) -> tuple[tuple[str, ...], list[int]]:
    """The layers in the order of the explainer that uses most of the parameters."""
    used = {}
    for name, run in runs.items():
        with named(name):
            used[name] = len(first_use(run, params, x, args, {"key": key}))
        if used[name] == len(jax.tree.leaves(params)):
            break
    most = runs[max(used, key=lambda name: used[name])]
    return layers_of(most, params, x, args, {"key": key}, None)


def agreement(
    maps: dict[str, PyTree],
    names: Sequence[str],
    over: Callable[..., Any],
) -> np.ndarray:
    """Rank correlations of maps with as many numbers; NaN between others."""
    number = len(jax.tree.leaves(maps[names[0]])[0])
    found = np.full((number, len(names), len(names)), np.nan)
    flat = {name: over(_flatten, maps[name]) for name in names}
    for size in {rows.shape[1] for rows in flat.values()}:
        which = [i for i, name in enumerate(names) if flat[name].shape[1] == size]
        stack = np.stack([flat[names[i]] for i in which], 1)
        found[:, np.array(which)[:, None], which] = over(_programs.agreement, stack)
    return found


_flatten = jax.jit(lambda rows, maps: jax.vmap(vector)(maps))


def plain(settings: Settings, number: int, level: float) -> dict[str, Any]:
    """The settings as numbers, for the report."""
    kept = {k: v for k, v in settings._asdict().items() if k != "f"}
    return {"examples": number, "level": level, **kept}
