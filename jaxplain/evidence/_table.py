"""Means of the scores, and which differences between them are real."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from . import _blocks
from ._compare import holm
from ._measures import Measure
from ._types import Table


def table(
    measures: Sequence[Measure],
    scores: dict[str, dict[str, np.ndarray]],
    names: Sequence[str],
    controls: Sequence[str],
    key: Any,
    level: float,
) -> Table:
    """Intervals of every mean, tests against the best, and against the controls."""
    number = len(next(iter(next(iter(scores.values())).values())))
    missing = np.full(number, np.nan, np.float32)  # widens no other
    values = np.array(
        [[scores[m.name].get(name, missing) for name in names] for m in measures]
    )
    values[~np.isfinite(values)] = np.nan
    found = _blocks.intervals(values.reshape(-1, number), key, level)
    mean, low, high = (part.reshape(values.shape[:2]) for part in found)
    best = [_best(m, measure.better) for m, measure in zip(mean, measures, strict=True)]
    rivals = [list(names).index(control) for control in controls]
    against_best = values - values[np.arange(len(best)), best][:, None]
    differences = [against_best, *(values - values[:, [rival]] for rival in rivals)]
    p_values = _blocks.p_values(np.reshape(differences, (-1, number)), key)
    p_values = p_values.reshape(-1, *mean.shape)  # (best and controls, metrics, names)
    judged = np.array([m.better != "neither" for m in measures])[:, None]
    known = np.array([name not in controls for name in names])
    columns = np.arange(len(names))
    others = np.isfinite(mean) & (columns != np.array(best)[:, None])
    # Tests within a metric in one row each, tests against a control in one row: NaN
    # fills up the short ones, so that all of them are corrected by one program.
    rows = np.full((len(measures) + len(controls), mean.size), np.nan)
    rows[: len(measures), : len(names)] = np.where(others, p_values[0], np.nan)
    raw = np.where(judged & known, p_values[1:], np.nan)
    rows[len(measures) :] = raw.reshape(len(controls), -1)
    adjusted = np.asarray(_holm(jnp.asarray(rows)))
    behind = adjusted[: len(measures), : len(names)] < 1 - level
    leads = judged & np.isfinite(mean) & ~behind
    corrected = adjusted[len(measures) :].reshape(raw.shape)
    return Table(
        tuple(m.name for m in measures),
        tuple(m.title for m in measures),
        tuple(m.better for m in measures),
        tuple(names),
        mean,
        low,
        high,
        np.isfinite(values).sum(-1),
        leads,
        dict(zip(controls, corrected, strict=True)),
        level,
    )


def _best(mean: np.ndarray, better: str) -> int:
    worth = mean if better == "higher" else -mean
    return int(np.where(np.isfinite(worth), worth, -np.inf).argmax())


_holm = jax.jit(jax.vmap(holm))
