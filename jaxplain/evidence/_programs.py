"""The compiled programs of an evaluation: one per explainer, and one per metric."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree

from .. import _checks
from ..metrics import rank_correlation
from ..metrics._ball import near, radii
from ..metrics._sensitivity import relative_change
from . import _kinds
from ._kinds import Kind
from ._measures import Case, Measure, Settings
from ._rows import needs_key

Program = Callable[..., Any]


def starter(baseline: Any) -> Callable[[PyTree], PyTree]:
    """The baseline of an example: shared, or made from it."""
    if baseline is None:
        return lambda x: jax.tree.map(jnp.zeros_like, x)
    given = baseline if callable(baseline) else lambda x: baseline
    return lambda x: _checks.baseline(given(x), x)


def mapped(
    make: Callable[[Any], Mapping[str, Callable[..., PyTree]]], name: str, kind: Kind
) -> Callable[..., PyTree]:
    """`run(params, x, *args, key)`: the map by which an explainer is compared."""

    def run(params: Any, x: PyTree, /, *args: Any, key: Any) -> PyTree:
        explain = make(params)[name]
        given = {"key": key} if needs_key(explain) else {}
        return _kinds.to_map(explain(x, *args, **given), x, kind)

    return run


def of_examples(run: Callable[..., PyTree], key: Any) -> Program:
    """`program(params, rows, xs, args)`; draws depend on the row alone.

    So an explainer that samples draws the same at other inputs and parameters, and
    what differs is what they change.
    """

    def one(params: Any, row: Array, x: PyTree, args: tuple[Any, ...]) -> PyTree:
        return run(params, x, *args, key=jax.random.fold_in(key, row))

    return jax.jit(jax.vmap(one, in_axes=(None, 0, 0, 0)))


def of_measures(
    measures: Sequence[Measure],
    settings: Settings,
    start: Callable[[PyTree], PyTree],
    key: Any,
) -> Program:
    """`program(rows, xs, args, maps, masks)`: a dictionary of scores and curves.

    An example has several maps, stacked. The draws are the same for each of them, so
    what does not depend on the map is computed once.
    """

    def one(row: Array, x: PyTree, args: Any, maps: PyTree, mask: PyTree) -> Any:
        draw = jax.random.fold_in(key, row)

        def scores(attribution: PyTree) -> dict[str, Any]:
            case = Case(x, args, attribution, start(x), mask, draw)
            return {m.name: m.make(settings)(case) for m in measures if m.make}

        return jax.vmap(scores)(maps)

    return jax.jit(jax.vmap(one))


def grouped(measures: Sequence[Measure]) -> Iterator[tuple[str, list[Measure]]]:
    """The metrics by their programs."""
    for name, group in itertools.groupby(measures, lambda m: m.program):
        yield name, list(group)


def nearby(radius: float, key: Any) -> Program:
    """`program(i, rows, xs)`: the neighbours that `metrics.max_sensitivity` draws."""

    def one(i: Array, row: Array, x: PyTree) -> PyTree:
        draw = jax.random.fold_in(jax.random.fold_in(key, row), i)
        return near(x, radii(radius, x), draw)

    return jax.jit(jax.vmap(one, in_axes=(None, 0, 0)))


@jax.jit
def changes(rows: Array, own: PyTree, other: PyTree) -> Array:
    """The distances between maps, relative to the length of the first."""
    return jax.vmap(relative_change)(own, other)


@jax.jit
def agreement(rows: Array, maps: Array) -> Array:
    """Rank correlations of every pair, for maps stacked by explainer."""

    def one(maps: Array) -> Array:
        with_all = lambda a: jax.vmap(lambda b: rank_correlation(a, b))(maps)
        return jax.vmap(with_all)(maps)

    return jax.vmap(one)(maps)


@jax.jit
def similarity(rows: Array, own: PyTree, other: PyTree) -> Array:
    """Rank correlations of maps with other maps."""
    return jax.vmap(rank_correlation)(own, other)
