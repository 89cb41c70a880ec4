"""Explainers of a sum of squares over some entries of a series."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import jaxplain as jx
from experiments.evidence.series import masks
from experiments.evidence.series.data import FEATURES, TIMES, Additive
from jaxplain import groups, rules

WINDOW = 10  # steps; a cell is a window of one channel
CELLS, NUM_CELLS = groups.cells((TIMES, FEATURES), size=WINDOW)
CHUNK = 256  # evaluations at once

SIGMA = 2.0  # steps, where nothing is present
AREAS = np.array([0.01, 0.02, 0.03, 0.04, 0.05], np.float32)  # the last is the truth


class Budget(NamedTuple):
    """How much the sampling explainers may evaluate."""

    coalitions: int = 1500
    descent: int = 100  # steps of the learned masks


QUICK = Budget(800, 30)
NUM_OTHERS = 10  # series to compare with


def score(x: jax.Array, salient: jax.Array) -> jax.Array:
    """What is explained: the sum of the squares that count."""
    return jnp.sum(jnp.where(salient, x, 0) ** 2)


def methods(budget: Budget) -> dict[str, Callable[..., jax.Array]]:
    """Explainers `(x, salient, others, key) -> map`, by name.

    `others` are series that do not count otherwise. Where the published tables have a
    baseline, it is theirs: the mean of each channel, or 0 for gradients.
    """
    ig = jx.integrated_gradients(score, steps=8)
    expected = jx.paths.expected_gradients(score, num_samples=8 * NUM_OTHERS)
    occlusion = jx.occlusion(score, chunk_size=CHUNK)
    of_cells = {"num_samples": budget.coalitions, "num_groups": NUM_CELLS}
    kernel_shap = jx.kernel_shap(score, **of_cells, chunk_size=CHUNK)
    lime = jx.lime(score, **of_cells, chunk_size=CHUNK)
    deep_lift = rules.deep_lift(score)

    def mean(x: Any) -> Any:
        return jnp.broadcast_to(x.mean(0), x.shape)

    def shuffled(x: Any, key: Any) -> Any:
        return jax.random.permutation(key, x, axis=0, independent=True)

    def cells(explain: Any, x: Any, salient: Any, others: Any, key: Any) -> Any:
        found = explain(x, salient, baseline=mean(x), key=key, groups=CELLS)
        return groups.spread(found, CELLS)

    return {
        "Integrated gradients": lambda x, s, others, key: ig(x, s, baseline=0.0),
        "Input x gradient": lambda x, s, *_: jx.input_x_gradient(score)(x, s),
        "DeepLIFT": lambda x, s, *_: deep_lift(x, s, baseline=0.0),
        "Expected gradients": lambda x, s, others, key: expected(
            x, s, baseline=others, key=key
        ),
        "Occlusion by the mean": lambda x, s, *_: occlusion(x, s, baseline=mean(x)),
        "Feature ablation": lambda x, s, *_: occlusion(x, s, baseline=0.0),
        "Permutation": lambda x, s, others, key: occlusion(
            x, s, baseline=shuffled(x, key)
        ),
        "SHAP, windows": partial(cells, kernel_shap),
        "LIME, windows": partial(cells, lime),
        masks.ZERO: partial(learned_masks, budget.descent, None),
        masks.BLUR: partial(learned_masks, budget.descent, SIGMA),
        "Size of input, no model": lambda x, *_: jnp.abs(x),
        "Random, no model": lambda x, s, others, key: jax.random.uniform(key, x.shape),
    }


def learned_masks(
    steps: int, sigma: float | None, x: Any, salient: Any, *_: Any
) -> masks.Masks:
    """Masks that keep the sum."""
    return masks.learned(lambda x: score(x, salient), x, AREAS, steps, sigma)


def program(method: Callable[..., Any]) -> Callable[..., Any]:
    """All series of a problem, one after the other: `(data, others, key) -> maps`."""

    @jax.jit
    def explain(data: Additive, others: jax.Array, key: jax.Array) -> Any:
        keys = jax.random.split(key, len(data.x))
        one = lambda row: method(row[0].x, row[0].salient, others, row[1])
        return jax.lax.map(one, (data, keys))

    return explain
