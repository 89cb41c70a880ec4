"""What a reader must know before the numbers, in words."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from . import _blocks
from ._controls import EDGES, INPUT, RANDOM
from ._types import MINUS, Cascade, Table

Means = Callable[[np.ndarray], tuple[np.ndarray, ...]]

ORDERED = ("deletion", "insertion", "road")  # what a random order is a control for
INSENSITIVE = 0.5  # similarity of the maps of a trained and a random model
GAP = 0.1  # share of f(x) - f(baseline) that is missing
DISAGREE = 0.1  # rank correlation
ALIKE = 0.8
FEW = 20
MOST = 3  # pairs to name, at most


def warnings(
    table: Table,
    scores: dict[str, dict[str, np.ndarray]],
    attributions: dict[str, PyTree],
    agreement: np.ndarray,
    cascade: Cascade | None,
    controls: Sequence[str],
    key: Any,
) -> tuple[str, ...]:
    """The most serious first."""
    explainers = [name for name in table.names if name not in controls]
    means = partial(_blocks.intervals, key=key, level=table.level)
    found = [
        *_broken(attributions, explainers),
        *_insensitive(cascade, len(agreement), means),
        *_no_better(table, controls),
        *_incomplete(scores.get("relative_gap", {})),
        *_pairs(table.names, controls, agreement, means),
        *_few(len(agreement), table),
    ]
    return tuple(found)


def _broken(attributions: dict[str, PyTree], names: Sequence[str]) -> Iterator[str]:
    for name in names:
        leaves = [np.asarray(a) for a in jax.tree.leaves(attributions[name])]
        rows = [leaf.reshape(len(leaf), -1) for leaf in leaves]
        bad = np.any([~np.isfinite(row).all(1) for row in rows], 0)
        flat = np.all([(row == rows[0][:, :1]).all(1) for row in rows], 0)
        if bad.any():
            yield (
                f"{name} is not finite in {bad.sum()} of {len(bad)} examples: they "
                "are left out of what cannot be computed from them."
            )
        if flat.any():
            yield (
                f"{name} is the same everywhere in {flat.sum()} of {len(flat)} "
                "examples: such a map says nothing."
            )


def _insensitive(
    found: Cascade | None,
    number: int,
    means: Means,
) -> Iterator[str]:
    if found is None:
        return
    # As many columns as in the other rows: what is missing is not finite.
    last = np.full((len(found.similarity), number), np.nan)
    for row, similarity in zip(last, found.similarity.values(), strict=True):
        row[: len(similarity)] = similarity[:, -1]
    for name, *left in zip(found.similarity, *means(last), strict=True):
        if left[1] > INSENSITIVE:
            yield (
                f"{name} does not change when the weights do: with all "
                f"{len(found.layers)} layers random, its maps still correlate "
                f"{_range(*left)} with those of the trained model. It shows the input, "
                "not what the model learned."
            )


def _no_better(table: Table, controls: Sequence[str]) -> Iterator[str]:
    rows = [i for i, name in enumerate(table.metrics) if name in ORDERED]
    for j, name in enumerate(table.names):
        if name in controls or not rows:
            continue
        no_better, worse = [], []
        for i in rows:
            title, sign = table.titles[i], -1 if table.better[i] == "lower" else 1
            for control in controls:
                ahead = sign * (
                    table.mean[i, j] - table.mean[i, table.names.index(control)]
                )
                p_value = table.against[control][i, j]
                clear = p_value < 1 - table.level
                tested = np.isfinite(p_value)
                if control == RANDOM and tested and not (clear and ahead > 0):
                    no_better.append(title)
                if control in (INPUT, EDGES) and clear and ahead < 0:
                    worse.append(f"{_the(control)} ({title})")
        if no_better:
            yield (
                f"{name} is not better than a random order of the features by "
                f"{_list(no_better)} (paired test, corrected for all comparisons)."
            )
        if worse:
            yield f"{name} is worse than {_list(worse)}, without any model."


def _incomplete(gaps: dict[str, np.ndarray]) -> Iterator[str]:
    found = []
    for name, values in gaps.items():
        values = values[np.isfinite(values)]
        if values.size and (gap := float(np.median(values))) > GAP:
            found.append(f"{name} {_percent(gap)}")
    if found:
        yield (
            f"Completeness gap: {_list(found)} (median over examples). Attributions "
            "with a gap do not sum to f(x) - f(baseline): read them as a ranking, not "
            "as shares."
        )


def _pairs(
    names: Sequence[str],
    controls: Sequence[str],
    agreement: np.ndarray,
    means: Means,
) -> Iterator[str]:
    """Explainers that disagree, and those that agree with a control."""
    apart, alike = [], []
    pairs = [
        (i, j)
        for j in range(len(names))
        for i in range(j)
        if names[i] not in controls  # which come last
    ]
    found = means(np.array([agreement[:, i, j] for i, j in pairs]))
    for (i, j), mean, low, high in zip(pairs, *found, strict=True):
        if names[j] in controls:
            if low > ALIKE:
                alike.append((names[i], names[j], _range(mean, low, high)))
        elif high < DISAGREE:
            apart.append((mean, names[i], names[j], _range(mean, low, high)))
    for name, control, said in alike:
        yield (
            f"{name} orders the features almost as {_the(control)} does (rank "
            f"correlation {said})."
        )
    apart.sort(key=lambda pair: pair[0])
    for _, a, b, said in apart[:MOST]:
        yield (
            f"{a} and {b} disagree: the rank correlation of their maps is {said}. They "
            "answer different questions, or one of them is wrong."
        )
    if len(apart) > MOST:
        yield f"{len(apart) - MOST} more pairs disagree: see the matrix of agreement."


def _few(number: int, table: Table) -> Iterator[str]:
    tests = max(np.isfinite(p).sum() for p in table.against.values())
    smallest = max(2.0 ** (1 - number), 1 / (_blocks.PATTERNS + 1))
    if tests * smallest >= 1 - table.level:
        yield (
            f"With {number} example{'s' * (number != 1)} and {tests} comparisons no "
            "difference can pass the tests against the controls, however large: that "
            "an explainer is not better than a random order says nothing here."
        )
    elif number < FEW:
        yield (
            f"There are only {number} examples: intervals are rough, and tests find "
            "large differences only."
        )


def _the(control: str) -> str:
    return {INPUT: "the size of the input itself", EDGES: "an edge detector"}.get(
        control, control
    )


def _range(mean: float, low: float, high: float) -> str:
    return f"{mean:.2f} [{low:.2f}, {high:.2f}]".replace("-", MINUS)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share < 10 else f"{share:.0f} times the difference"


def _list(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
