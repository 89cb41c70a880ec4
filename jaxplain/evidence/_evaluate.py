"""Every metric, of every explainer, on the same examples."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from .. import _checks
from .._types import REQUIRED, PRNGKey
from . import _controls, _kinds, _programs, _rows, _stages, _valid, _words
from ._catalogue import MEASURES
from ._kinds import Kind
from ._measures import Settings
from ._table import table
from ._types import Curves, Evidence

SHOWN = 8  # examples to keep for pictures


def evaluate(
    f: Callable[..., Any],
    explainers: Mapping[str, Callable[..., PyTree]],
    xs: PyTree,
    *args: PyTree,
    key: PRNGKey = REQUIRED,
    baseline: Any = None,
    masks: PyTree | None = None,
    params: PyTree | None = None,
    of_params: Callable[[Any], Mapping[str, Callable[..., PyTree]]] | None = None,
    kind: Kind | None = None,
    only: Sequence[str] | None = None,
    steps: int = 16,
    num_samples: int = 64,
    num_perturbed: int = 10,
    radius: float | None = None,
    num_randomised: int = 32,
    level: float = 0.95,
    batch_size: int = 32,
    chunk_size: int | None = 8,
    progress: Callable[[str], None] | None = None,
) -> Evidence:
    """Measure explainers by the metrics of the literature, against controls.

    What lacks its input is left out: curves, erasure, infidelity and the completeness
    gap need a `baseline`, ROAD needs pictures, pointing game and its relatives need
    `masks`, and parameter randomisation needs `params`. Controls are measured beside
    the explainers: a random order, the size of the input itself and, for pictures, an
    edge detector. Explainers are compared on maps of one resolution: of a picture,
    channels are summed and small maps are stretched, so that each metric is compiled
    once for all of them.

    Everything is compiled here, one program per explainer and one per metric, and runs
    over batches; memory follows `batch_size`. The draws of an example depend on `key`
    and its row, not on the batch.

    Args:
        f: Function that is explained: `f(x, *args)` returns a scalar.
        explainers: By name, `explain(x, *args)` or `explain(x, *args, key)`: bind what
            else they need with `functools.partial`.
        xs: Inputs, stacked over examples.
        *args: The other arguments of `f`, stacked over examples. Bind what is shared.
        key: Random key.
        baseline: What an absent feature looks like: any prefix of `x`, or a function
            of it, such as a blur.
        masks: Where the cause is known to be, stacked over examples; each of the shape
            of `x` or of its leading axes, and of a picture one truth value per pixel.
        params: Parameters of the model, to put random ones in their place.
        of_params: From parameters to the explainers, by the same names.
        kind: What an example is: `"image"`, `"series"`, `"table"` or `"tree"`. By
            default, an array with three axes is a picture, with two a series, with one
            a table.
        only: Names of the metrics; all that can be computed by default.
        steps: Of the deletion and insertion curves.
        num_samples: Of infidelity and of the faithfulness correlation.
        num_perturbed: Neighbours at which the maximal sensitivity is sought.
        radius: How far they are away; 0.02 times the range of `xs` by default.
        num_randomised: Number of examples for the parameter randomisation.
        level: Of the intervals; tests are at `1 - level`.
        batch_size: Examples at once.
        chunk_size: Changed inputs at once, of each example of a batch.
        progress: Called with a line for each stage, for example `print`.

    Returns:
        `Evidence`. `report` writes it as a page, and `print(evidence.table)` shows
        the means.

    Raises:
        ValueError: If stacks differ in length, names are reserved or unknown, or an
            explainer returns what does not fit `x`.
        TypeError: If `key` is missing, or an argument is of the wrong type.

    Example:
        >>> f = lambda x: jnp.tanh(x[0] * x[1])
        >>> explainers = {"gradient": jx.saliency(f), "product": jx.input_x_gradient(f)}
        >>> xs = jax.random.normal(jax.random.key(0), (8, 3))
        >>> key, only = jax.random.key(1), ["deletion"]
        >>> found = evaluate(f, explainers, xs, key=key, baseline=0.0, only=only)
        >>> found.names
        ('gradient', 'product', 'random order', 'input itself')
        >>> found.scores["deletion"]["product"].shape
        (8,)

    References:
        Hedström et al. (2023), *Quantus*, arXiv:2202.06861: a table of metrics.
    """
    _checks.key(key, "evaluate")
    _valid.level(level)
    for name, value in (
        ("steps", steps),
        ("num_samples", num_samples),
        ("num_perturbed", num_perturbed),
        ("num_randomised", num_randomised),
        ("batch_size", batch_size),
    ):
        _checks.count(name, value)
    number = _rows.length({"xs": xs, "args": args, "masks": masks})
    x = _checks.inputs(jax.tree.map(jnp.asarray, _kinds.example(xs)))
    kind = _kinds.kind_of(x, kind)
    controls = _controls.controls(kind)
    _valid.names(explainers, controls, params, of_params)
    chosen = _valid.choose(only, _stages.available(kind, baseline, masks), MEASURES)
    if masks is not None:
        _valid.masks(_kinds.like_map(x, kind), _kinds.example(masks))
    radius = 0.02 * _stages.spread(xs) if radius is None else float(radius)
    settings = Settings(f, steps, num_samples, num_perturbed, radius, chunk_size, kind)
    clock = _stages.Clock(progress)
    start = _programs.starter(baseline)
    draws, scoring, shaking, testing = jax.random.split(key, 4)
    make = of_params or (lambda params: explainers)
    runs = {name: _programs.mapped(make, name, kind) for name in explainers}
    programs = {name: _programs.of_examples(run, draws) for name, run in runs.items()}
    for name, control in controls.items():
        run = lambda _, x, *args, key, at=control: at(x, start(x), key)
        programs[name] = _programs.of_examples(run, draws)
    programs = {name: partial(p, params) for name, p in programs.items()}
    over = partial(_rows.over, number, min(batch_size, number))

    maps: dict[str, PyTree] = {}
    for name, program in programs.items():
        with clock(f"explain: {name}"), _stages.named(name):
            maps[name] = over(program, xs, args)

    scores: dict[str, dict[str, np.ndarray]] = {m.name: {} for m in chosen}
    curves: dict[str, Curves] = {}
    own = {name: programs[name] for name in explainers}
    for title, group in _programs.grouped(chosen):
        with clock(title):
            if title == "max_sensitivity":
                scores[title] = _stages.sensitivity(
                    own, maps, settings, scoring, xs, args, over
                )
                continue
            program = _programs.of_measures(group, settings, start, scoring)
            judged = own if "explainer" in group[0].needs else programs
            for some in _stages.together(maps, [*judged], group[0].shares):
                found = over(program, xs, args, _stages.stacked(maps, some), masks)
                _stages.keep(found, some, scores, curves)

    cascade = None
    if params is not None:
        with clock("parameter randomisation"):
            few = min(number, num_randomised)
            first = jax.tree.map(lambda leaf: leaf[:few], (xs, args))
            by_params = {name: p.func for name, p in own.items()}
            some = partial(_rows.over, few, min(batch_size, number))
            cascade = _stages.cascade(runs, by_params, params, shaking, first, some)
    names = (*explainers, *controls)
    with clock("agreement"):
        agreement = _stages.agreement(maps, names, over)
    with clock("tests"):
        summary = table(chosen, scores, names, tuple(controls), testing, level)
        words = _words.warnings(
            summary, scores, maps, agreement, cascade, tuple(controls), testing
        )
    return Evidence(
        names,
        tuple(controls),
        kind,
        jax.tree.map(lambda leaf: np.asarray(leaf[:SHOWN]), xs),
        maps,
        scores,
        curves,
        cascade,
        agreement,
        summary,
        words,
        clock.seconds,
        _stages.plain(settings, number, level),
    )
