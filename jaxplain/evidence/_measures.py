"""What a metric of the evidence is, and how those of `metrics` become one."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree

from .. import _tree, metrics
from ._kinds import Kind

Better: TypeAlias = Literal["higher", "lower", "neither"]


class Settings(NamedTuple):
    """What the metrics are configured with."""

    f: Callable[..., Any]
    steps: int
    num_samples: int
    num_perturbed: int
    radius: float
    chunk_size: int | None
    kind: Kind


class Case(NamedTuple):
    """One example and its map."""

    x: PyTree
    args: tuple[Any, ...]
    attribution: PyTree
    start: PyTree
    mask: PyTree
    key: Any


class Measure(NamedTuple):
    """One metric: how to compute it, and how to read it.

    Attributes:
        name: Its name in the results.
        title: Its name for people.
        better: Which way is up.
        needs: Inputs without which it is left out: `baseline`, `masks`, `image`, and
            `explainer` where a control has none.
        program: Metrics of one name share one compiled program.
        cannot: What it cannot tell.
        make: Settings to a function of a case; returns a number or a `Curve`. None
            for what needs the explainer again.
        shares: Does it evaluate `f` at the same points for every map? Then all maps
            are judged at once, and `f` is evaluated for one of them.
    """

    name: str
    title: str
    better: Better
    needs: frozenset[str]
    program: str
    cannot: str
    make: Callable[[Settings], Callable[[Case], Any]] | None
    shares: bool = False


def judge(make: Callable[[Settings], Any], *refs: str) -> Callable[..., Any]:
    """A metric of `f`: what it needs of the case, by name."""

    def prepared(settings: Settings) -> Callable[[Case], Any]:
        measure = make(settings)

        def of(case: Case) -> Any:
            given = {"baseline": case.start, "key": case.key}
            named = {name: given[name] for name in refs}
            return measure(case.x, *case.args, attribution=case.attribution, **named)

        return of

    return prepared


def relative_gap(settings: Settings) -> Callable[[Case], Array]:
    """Zero where the gap is no more than rounding."""
    of_gap = metrics.completeness_gap(settings.f)

    def of(case: Case) -> Array:
        gap = lambda attribution: jnp.abs(
            of_gap(case.x, *case.args, attribution=attribution, baseline=case.start)
        )
        phi = case.attribution
        change, missing = gap(jnp.zeros(())), gap(phi)
        size = _tree.total(jax.tree.map(jnp.abs, phi)).astype(missing.dtype)
        rounding = 100 * jnp.finfo(missing.dtype).eps * (size + change)
        missing = jnp.where(missing <= rounding, 0, missing)
        return jnp.where(
            change > 0, missing / jnp.where(change > 0, change, 1), jnp.nan
        )

    return of


def infidelity(settings: Settings) -> Callable[[Case], Array]:
    """With the best scale, so that maps in other units are not told off for it."""

    def of(case: Case) -> Array:
        fields = ("num_samples", "chunk_size")
        given = {name: getattr(settings, name) for name in fields}
        draw = _removal(case.x, settings.kind)
        measure = metrics.infidelity(settings.f, draw=draw, normalise=True, **given)
        phi = jax.tree.map(_spread, case.attribution, case.x)
        return measure(
            case.x, *case.args, attribution=phi, key=case.key, baseline=case.start
        )

    return of


def _removal(x: PyTree, kind: Kind) -> Callable[..., metrics.Perturbed]:
    """Squares of a picture, windows of a series, half of anything else."""
    if jax.tree.leaves(x)[0] is not x or x.ndim == 1:
        return metrics.to_baseline(0.5)
    sides = x.shape[:2] if kind == "image" else x.shape[:1]
    return metrics.squares(tuple(max(1, side // 4) for side in sides))


def _spread(phi: Array, leaf: Array) -> Array:
    """The number of a pixel, shared by its channels."""
    shape = phi.shape + (1,) * (leaf.ndim - phi.ndim)
    return jnp.broadcast_to(phi.reshape(shape) * (phi.size / leaf.size), leaf.shape)


def correlation(settings: Settings) -> Callable[[Case], Array]:
    """Over subsets of an eighth of the features."""

    def of(case: Case) -> Array:
        size = sum(leaf.size for leaf in jax.tree.leaves(case.attribution))
        if size < 2:
            return jnp.full((), jnp.nan)
        measure = metrics.faithfulness_correlation(
            settings.f,
            subset_size=max(1, size // 8),
            num_samples=settings.num_samples,
            chunk_size=settings.chunk_size,
        )
        refs = {"attribution": case.attribution, "baseline": case.start}
        return measure(case.x, *case.args, key=case.key, **refs)

    return of


def of_map(metric: Callable[[PyTree], Any]) -> Callable[..., Any]:
    return lambda settings: lambda case: metric(case.attribution)


def of_mask(metric: Callable[[PyTree, PyTree], Any]) -> Callable[..., Any]:
    return lambda settings: lambda case: metric(case.attribution, case.mask)
