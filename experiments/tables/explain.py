"""Three explanations of a day, one number per feature, in rentals per day."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np

import jaxplain as jx
from experiments.tables.data import LAYOUT
from jaxplain import tables

CHUNK = 500


class Explanation(NamedTuple):
    """What is known of some days: one row of each field per day.

    `bins` and `slopes` are surrogates, of being in the bin of the day and of standard
    deviations; `shapley` sums to `value` less `average`.
    """

    value: Any
    average: Any
    bins: jx.Surrogate
    slopes: jx.Surrogate
    shapley: Any


def explainer(
    f: Callable[..., jax.Array],
    bins: tables.Bins,
    background: np.ndarray,
    key: jax.Array,
    num_samples: int,
) -> Callable[..., Explanation]:
    """`explain(codes, *args)`: all days in one program, with one neighbourhood.

    Args:
        f: Function of a row with one-hot columns: `f(row, *args)`.
        bins: Bins of the codes of the training days.
        background: Training days, as rows with one-hot columns, for what is absent.
        key: Draws the neighbourhoods.
        num_samples: Evaluations of each LIME.
    """
    coded = tables.on_codes(f, LAYOUT)
    options = {"num_samples": num_samples, "chunk_size": CHUNK}
    in_bins = partial(tables.lime(coded, **options), bins=bins, key=key)
    sloping = partial(tables.continuous_lime(coded, **options), bins=bins, key=key)
    # Seven features have 128 coalitions: fewer than the default budget, so exact.
    shap = jx.expected(jx.kernel_shap(f, num_groups=LAYOUT.num_groups), chunk_size=8)
    shapley = partial(shap, baseline=background, groups=LAYOUT.labels, key=key)

    def explain(codes: jax.Array, *args: Any) -> Explanation:
        row = tables.decode(codes, LAYOUT)
        absent = jax.vmap(lambda other: f(other, *args))(background)
        return Explanation(
            f(row, *args),
            absent.mean(),
            in_bins(codes, *args),
            sloping(codes, *args),
            shapley(row, *args),
        )

    batch = lambda codes, *args: jax.vmap(lambda one: explain(one, *args))(codes)
    return jax.jit(batch)


def strengths(explanation: Explanation) -> dict[str, np.ndarray]:
    """One number per day and feature, by the name of the explainer."""
    return {
        "LIME, bins": np.asarray(explanation.bins.weights),
        "LIME, slopes": np.asarray(explanation.slopes.weights),
        "Shapley values": np.asarray(explanation.shapley),
    }
