"""Explainers of what a recurrent network says at a step, by the input of that step.

Gradients move the whole series along their paths, and explain each step by the last
row of what they find: `series.last_step`. The others take one input away, while the
state that it meets stays what the series made it.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import jaxplain as jx
from experiments.evidence.series import masks, model
from jaxplain import rules, series

CHUNK = 25  # series at once

SIGMA = 1.0  # steps, where nothing is present
AREAS = np.array([0.2, 0.3, 0.4, 0.5], np.float32)  # the truth is a third


class Budget(NamedTuple):
    """How much is evaluated, and for how many series."""

    num_train: int = 800
    num_test: int = 200
    updates: int = model.UPDATES
    nodes: int = 16  # of integrated gradients
    samples: int = 48  # of LIME
    others: int = 8  # series to compare with
    masked: int = 20  # series with learned masks
    descent: int = 60  # steps of the masks


QUICK = Budget(200, 10, 40, 4, 48, 2, 10, 10)


class Context(NamedTuple):
    """What all series share."""

    params: Any
    mean: jax.Array  # (steps, channels), of the training series
    others: jax.Array  # (k, steps, channels), some of them


def of_row(
    row: jax.Array, state: jax.Array, params: Any, label: jax.Array
) -> jax.Array:
    """What is explained: the logit of a label, given the state before."""
    return model.NET.apply(params, state, row)[label]


def methods(budget: Budget) -> dict[str, Callable[..., Any]]:
    """Explainers `(x, labels, context, key) -> map` of one series, by name."""
    return {
        "Integrated gradients": partial(integrated, budget.nodes),
        "Input x gradient": _input_x_gradient,
        "DeepLIFT": _deep_lift,
        "GradientSHAP": partial(_gradient_shap, budget.nodes),
        "Occlusion by the mean": _given(jx.occlusion(of_row)),
        "Feature ablation": _given(jx.occlusion(of_row), mean=False),
        "Permutation": _permutation,
        "SHAP, entries": _given(jx.shapley_values(of_row)),
        "LIME": partial(_lime, budget.samples),
        masks.ZERO: partial(learned_masks, budget.descent, None),
        masks.BLUR: partial(learned_masks, budget.descent, SIGMA),
        "Size of input, no model": lambda x, *_: x,
        "Random, no model": lambda x, labels, c, key: jax.random.uniform(key, x.shape),
    }


def integrated(steps: int, x: Any, labels: Any, c: Context, *_: Any) -> jax.Array:
    """Integrated gradients of every step, from a series of zeros."""
    return _paths(steps)(x, c.params, labels, baseline=0.0)


def _paths(steps: int, rule: Any = "gauss_legendre") -> Callable[..., jax.Array]:
    explain = series.last_step(
        model.step, in_axes=(None, 0), steps=steps, rule=rule, chunk_size=1
    )
    return partial(explain, carry=model.START)


def _input_x_gradient(x: Any, labels: Any, c: Context, *_: Any) -> jax.Array:
    # One node at the end of the path from 0 is the input times the gradient there.
    return _paths(1, "riemann_right")(x, c.params, labels, baseline=0.0)


def _gradient_shap(steps: int, x: Any, labels: Any, c: Context, *_: Any) -> jax.Array:
    """In expectation what is published: half of the baselines are 0, half are data."""
    from_others = jx.expected(_paths(max(steps // 4, 2)), chunk_size=1)
    found = from_others(x, c.params, labels, baseline=c.others)
    return (integrated(steps, x, labels, c) + found) / 2


def _deep_lift(x: Any, labels: Any, c: Context, *_: Any) -> jax.Array:
    """Through the gates: the state differs from that of a series of zeros."""

    def score(inputs: Any, params: Any, label: Any) -> jax.Array:
        return of_row(inputs["row"], inputs["state"], params, label)

    def at(row: Any, state: Any, reference: Any, label: Any) -> jax.Array:
        start = {"row": jnp.zeros_like(row), "state": reference}
        inputs = {"row": row, "state": state}
        return rules.deep_lift(score)(inputs, c.params, label, baseline=start)["row"]

    before, zero = (model.states(c.params, s)[:-1] for s in (x, jnp.zeros_like(x)))
    return jax.vmap(at)(x, before, zero, labels)


def _given(explain: Any, mean: bool = True) -> Callable[..., jax.Array]:
    """An explainer of single rows, at every step."""

    def explain_all(x: Any, labels: Any, c: Context, *_: Any) -> jax.Array:
        at = lambda row, state, label, baseline: explain(
            row, state, c.params, label, baseline=baseline
        )
        baseline = c.mean if mean else jnp.zeros_like(x)
        return jax.vmap(at)(x, model.states(c.params, x)[:-1], labels, baseline)

    return explain_all


def _permutation(x: Any, labels: Any, c: Context, *_: Any) -> jax.Array:
    """Occlusion by the values of other series at the same step."""
    explain = jx.expected(jx.occlusion(of_row))
    at = lambda row, state, label, others: explain(
        row, state, c.params, label, baseline=others
    )
    before = model.states(c.params, x)[:-1]
    return jax.vmap(at, (0, 0, 0, 1))(x, before, labels, c.others)


def _lime(samples: int, x: Any, labels: Any, c: Context, key: Any) -> jax.Array:
    explain = jx.lime(of_row, num_samples=samples)
    at = lambda row, state, label, baseline, key: explain(
        row, state, c.params, label, baseline=baseline, key=key
    )
    before = model.states(c.params, x)[:-1]
    keys = jax.random.split(key, len(x))
    return jax.vmap(at)(x, before, labels, jnp.zeros_like(x), keys)


def learned_masks(
    steps: int, sigma: float | None, x: Any, labels: Any, c: Context, *_: Any
) -> masks.Masks:
    """Masks that keep the outputs of all steps together, as Dynamask has them."""
    own = jax.nn.log_softmax(model.logits(c.params, x))

    def likeness(x: jax.Array) -> jax.Array:
        """Minus the divergence from what the network said; 0 at the series itself."""
        found = jax.nn.log_softmax(model.logits(c.params, x))
        return jnp.sum(jnp.exp(own) * (found - own), -1).mean()

    return masks.learned(likeness, x, AREAS, steps, sigma)


def program(method: Callable[..., Any]) -> Callable[..., Any]:
    """Some series at once: `(x, labels, context, keys) -> maps`."""
    return jax.jit(jax.vmap(method, (0, 0, None, 0)))


def explain(
    program: Callable[..., Any], x: Any, labels: Any, context: Context, key: jax.Array
) -> Any:
    """The maps of all series, some at a time."""
    keys = jax.random.split(key, len(x))
    chunk = min(CHUNK, len(x))
    starts = range(0, len(x), chunk)
    parts = [
        program(*(a[i : i + chunk] for a in (x, labels)), context, keys[i : i + chunk])
        for i in starts
    ]
    return jax.tree.map(lambda *maps: np.concatenate(maps), *parts)
