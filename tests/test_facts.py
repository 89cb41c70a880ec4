"""Numbers that others published, or that their tools print: one test for each.

`facts.json` holds the numbers with their sources; `facts_*.py` how to ask for them.
"""

import json
import pathlib
from functools import partial

import facts_games
import facts_gradients
import facts_maps
import facts_metrics
import facts_rules
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny_models

import jaxplain as jx

FACTS = json.loads(pathlib.Path(__file__).with_name("facts.json").read_text())
RECIPES = (
    facts_gradients.RECIPES
    | facts_maps.RECIPES
    | facts_games.RECIPES
    | facts_metrics.RECIPES
    | facts_rules.RECIPES
)
KEY = jax.random.key(0)  # for exhaustive designs: no random number is used


def facts(kind):
    return pytest.mark.parametrize("fact", FACTS[kind], ids=lambda fact: fact["id"])


def ours(fact):
    return jax.jit(RECIPES[fact["id"]])()  # compiled whole, for speed


def distance(actual, expected):
    """The largest difference, over the entries of a dict or of an array.

    Sources keep an axis for the batch that we do not have.
    """
    if isinstance(expected, dict):
        assert actual.keys() == expected.keys()
        return max(distance(actual[name], expected[name]) for name in expected)
    expected = np.asarray(expected, float)
    actual = np.asarray(actual, float).reshape(expected.shape)
    return np.max(np.abs(actual - expected))


@facts("published")
def test_a_published_number_is_ours_too(fact):
    value = ours(fact)
    assert distance(value, fact["published"]) <= fact["within"]
    assert distance(value, fact["exact"]) <= fact["tolerance"]


@facts("computed")
def test_a_number_that_a_tool_prints_is_ours_too(fact):
    assert distance(ours(fact), fact["exact"]) <= fact["tolerance"]


@facts("peers")
def test_a_known_fault_or_convention_of_a_tool_is_not_ours(fact):
    value = ours(fact)
    assert distance(value, fact["exact"]) <= fact["tolerance"]
    assert distance(value, fact["peer"]) >= fact["differs_by"]


def test_every_fact_has_a_recipe_and_none_is_lost():
    ids = [
        fact["id"]
        for kind in ("published", "computed", "peers")
        for fact in FACTS[kind]
    ]
    assert set(ids) == set(RECIPES)
    left_out = [name for names in FACTS["left_out"].values() for name in names]
    assert len(set(ids + left_out)) == len(ids + left_out) == 65 + 55


# The LSTM: one model, in plain JAX and in both Flaxes.

LSTM = FACTS["lstm"]
LSTM_X = jnp.asarray(tiny_models.LSTM_X)


@pytest.fixture(scope="module", params=["lax.scan", "linen", "nnx"])
def lstm(request):
    models = {
        "lax.scan": lambda: tiny_models.lstm_scan,
        "linen": lambda: tiny_models.lstm_linen,
        "nnx": tiny_models.lstm_nnx,
    }
    return models[request.param]()


@pytest.fixture
def f(lstm):
    return lambda x: lstm(x)[0]


def assert_same(actual, name, tolerance=LSTM["tolerance"]):
    assert distance(actual, LSTM[name]) <= tolerance


def explained(explain, **refs):
    return jax.jit(partial(explain, **refs))(LSTM_X)


def test_the_lstm_is_the_one_of_the_source(lstm):
    assert_same(lstm(LSTM_X), "output")
    assert_same(lstm(0.0 * LSTM_X), "baseline_output")


def test_lstm_saliency(f):
    assert_same(explained(jx.saliency(f)), "saliency")


def test_lstm_integrated_gradients(f):
    phi = explained(jx.integrated_gradients(f, steps=50), baseline=0.0)
    assert_same(phi, "ig_gl50")
    assert_same(phi, "ig_gl50_jax_f64")
    # Printed in full by the source, in float64: equal up to rounding.
    assert_same(phi.sum(), "ig_sum", 1e-15)
    gap = jx.metrics.completeness_gap(f)(LSTM_X, attribution=phi, baseline=0.0)
    assert_same(phi.sum() - gap, "fx_minus_fb", 1e-15)


def test_lstm_occlusion(f):
    assert_same(explained(jx.occlusion(f), baseline=0.0), "ablation")


def inefficiency(name, repeats):
    """How far Shapley values of the source are from their sum: its own error."""
    total = np.sum(LSTM[name]) / repeats
    return abs(total - LSTM["fx_minus_fb"]) + LSTM["tolerance"]


def test_lstm_shapley_values_of_all_8_entries(f):
    explain = jx.kernel_shap(f, num_samples=2**8 - 2)
    phi = explained(explain, baseline=0.0, key=KEY)
    assert_same(phi, "shapley8", inefficiency("shapley8", 1))
    assert_same(phi.sum(), "fx_minus_fb", 1e-15)  # ours has no such error


def test_lstm_shapley_values_of_4_steps(f):
    steps = np.arange(4)[:, None]  # one label per step, for its two features
    explain = jx.kernel_shap(f, num_groups=4)
    phi = explained(explain, baseline=0.0, key=KEY, groups=steps)
    spread = jx.groups.spread(phi, np.repeat(steps, 2, axis=1))
    assert_same(spread, "shapley_time4", inefficiency("shapley_time4", 2))
    assert_same(phi.sum(), "fx_minus_fb", 1e-15)
