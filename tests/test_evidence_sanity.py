"""Sanity checks by randomisation: what is compared with what."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close
from relaxed import relaxed

from experiments.evidence.sanity import data, explain, measure, model, study
from experiments.evidence.sanity.__main__ import main
from jaxplain import metrics

IMAGES = jnp.asarray(np.random.default_rng(0).normal(size=(2, 12, 12)))
LABELS = jnp.zeros(2, jnp.int32)
TRAINED = {"first": jnp.asarray(1.0), "last": jnp.asarray(2.0)}
DRAWN = {"first": jnp.asarray(-1.0), "last": jnp.asarray(3.0)}


def explained(params, x, label):
    return params["last"] * jnp.tanh(params["first"] * x)


@pytest.fixture(scope="module")
def found():
    of = measure.programs(explained, smoothed=2)
    return of.tests(IMAGES, LABELS, TRAINED, DRAWN)


def test_no_picture_is_on_both_sides():
    _, digits = data.load(None)
    train, held_out = data.split(digits, np.random.default_rng(0))
    assert len(train.labels) + len(held_out.labels) == len(digits.labels)
    images = np.concatenate([train.images, held_out.images])
    in_order = lambda a: a[np.lexsort(a.reshape(len(a), -1).T)]
    np.testing.assert_array_equal(in_order(images), in_order(digits.images))


def test_stretched_digits_keep_their_size_and_their_range():
    _, digits = data.load(None)
    assert digits.images.shape[1:] == (data.SIZE, data.SIZE)
    assert digits.images.dtype == np.float32
    assert digits.images.min() == 0
    assert digits.images.max() <= 1


def test_a_cascade_runs_from_the_trained_network_to_a_random_one(found):
    cascade = found["cascading"]
    assert cascade.shape == (2, 3, 12, 12)
    assert_close(cascade[:, 0], explained(TRAINED, IMAGES, 0))
    assert_close(cascade[:, 1], explained(TRAINED | {"last": DRAWN["last"]}, IMAGES, 0))
    assert_close(cascade[:, 2], explained(DRAWN, IMAGES, 0))


def test_a_layer_alone_leaves_the_others_trained(found):
    alone = found["independent"]
    assert_close(alone[:, 2], explained(TRAINED | {"first": DRAWN["first"]}, IMAGES, 0))


def test_smoothed_maps_are_no_longer_those_of_the_picture(found):
    assert found["smooth"].shape == found["cascading"].shape
    gap = jnp.abs(found["smooth"][:, 0] - found["cascading"][:, 0])
    assert 0.01 < gap.mean() < 0.5


def test_similarities_tell_sign_and_size_apart():
    maps = jnp.stack([IMAGES, -IMAGES, IMAGES[::-1]], 1)
    found = measure.similarities(IMAGES, maps)
    assert_close(found["rank"][:, :2], [[1.0, -1.0]] * 2)
    assert_close(found["rank_absolute"][:, :2], jnp.ones((2, 2)))
    assert_close(found["ssim"][:, :2], jnp.ones((2, 2)))
    assert jnp.abs(found["rank"][:, 2]).max() < 0.4  # 4 / sqrt(144): unrelated


@pytest.mark.slow
def test_the_rise_of_complexity_is_that_of_the_library(found):
    measured = metrics.efficient_parameter_randomisation(
        explained, randomise=lambda *_: DRAWN
    )
    expected = measured(TRAINED, IMAGES[0], 0, key=jax.random.key(0))
    assert_close(measure.complexity_rise(found["cascading"])[0], expected)
    constant = jnp.zeros((1, 2, 12, 12))
    assert jnp.isnan(measure.complexity_rise(constant)).all()


def test_edges_are_where_the_picture_changes():
    step = jnp.zeros((6, 6)).at[:, 3:].set(1.0)
    found = explain.edges(None, step, None)
    np.testing.assert_array_equal(np.flatnonzero(found.any(0)), [2, 3])


def test_the_network_is_randomised_from_the_logits_down():
    with relaxed():
        shapes = jax.eval_shape(model.initial, jax.random.key(0))
        params = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), shapes)
        names = measure.layers(params, np.zeros((data.SIZE, data.SIZE), np.float32))
    assert names == ["logits", "dense", "conv_2", "conv_1", "conv_0"]


def made_up(level, seed):
    """Ten pictures of one explainer, whose similarity is near a level."""
    noise = 0.01 * np.random.default_rng(seed).normal(size=(10, 4))
    curve = np.where(np.arange(4) == 0, 1, level) + noise
    return SimpleNamespace(curves={"cascading": {"rank": curve}})


@pytest.mark.slow
def test_an_insensitive_map_is_told_from_a_sensitive_one_picture_by_picture():
    found = {
        "sensitive": [made_up(0.1, 0), made_up(0.1, 1)],
        "alike": [made_up(0.1, 2), made_up(0.1, 3)],
        "insensitive": [made_up(0.8, 4), made_up(0.8, 5)],
    }
    tests = study.compared(found, "cascading", "rank", "sensitive")
    assert tests["insensitive"]["p_value"] < 0.01
    assert tests["insensitive"]["difference"] == pytest.approx(0.7, abs=0.02)
    assert tests["alike"]["p_value"] > 0.01


@pytest.mark.slow
def test_the_quick_benchmark_writes_its_figures_and_numbers(tmp_path):
    with relaxed():
        main(["--quick", "--seeds", "1", "--out", str(tmp_path)])
    assert (tmp_path / "metrics.json").exists()
    for name in ("maps", "curves"):
        assert 10_000 < (tmp_path / f"{name}.png").stat().st_size < 400_000
