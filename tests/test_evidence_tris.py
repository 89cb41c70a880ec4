"""XAI-TRIS: its recipe, its distance, and one small run."""

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from experiments.evidence.tris import claims, data, explain, study, transport
from experiments.evidence.tris.data import SETTINGS, Setting


@pytest.fixture(autouse=True)
def as_users_run_it():
    """Experiments run in the precision that their readers have."""
    import jax

    with (
        jax.enable_x64(False),
        jax.numpy_dtype_promotion("standard"),
        jax.numpy_rank_promotion("allow"),
    ):
        yield


def rng():
    return np.random.default_rng(0)


def drawn(setting, number=2000):
    return data.draw(rng(), setting, number)


def test_there_are_sixteen_settings():
    assert len(set(SETTINGS)) == 4 * 2 * 2


def test_the_patterns_are_the_t_and_the_l_at_their_places():
    t, l_ = data.patterns(rng(), "linear", np.array([0, 1]))
    assert_array_equal(np.argwhere(t), [[1, 1], [2, 1], [2, 2], [3, 1]])
    assert_array_equal(np.argwhere(l_), [[4, 5], [5, 5], [6, 5], [6, 6]])


def test_the_class_of_xor_is_whether_the_signs_differ():
    labels = np.arange(200) % 2
    patterns = data.patterns(rng(), "xor", labels)
    signs = patterns[:, data.T_PLACE[0], data.T_PLACE[1]], patterns[:, 6, 6]
    assert_array_equal(signs[0] != signs[1], labels == 1)
    assert set(signs[0]) == {-1.0, 1.0}


def test_neither_pixel_alone_tells_the_class_of_xor():
    pictures = drawn(Setting("xor", "white", "strong"), 4000)
    means = [pictures.images[pictures.labels == c].mean(0) for c in (0, 1)]
    error = pictures.images.std() * np.sqrt(4 / 4000)
    # Of 64 differences of means, the largest seldom exceeds four standard errors.
    assert np.abs(means[0] - means[1]).max() < 4 * error


def test_rigid_patterns_are_everywhere_and_turned():
    patterns = data.patterns(rng(), "rigid", np.ones(2000, int))
    assert_array_equal((patterns != 0).sum((1, 2)), 4)
    assert patterns.any(0).all()
    # Four turns; upright ones have 6 x 7 places, and so have the others.
    assert len(np.unique(patterns, axis=0)) == 4 * 42


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_pictures_are_balanced_bounded_and_know_their_truth(setting):
    pictures = drawn(setting, 400)
    assert pictures.images.dtype == np.float32
    assert np.abs(pictures.images).max() == 1
    assert pictures.labels.mean() == 0.5
    size = 4 if setting.scenario == "rigid" else 8
    assert_array_equal(pictures.masks.sum((1, 2)), size)


def test_the_signal_has_the_share_of_the_norm_that_its_weight_says():
    setting = Setting("linear", "white", "weak")
    pattern = data.patterns(rng(), "linear", np.arange(4000) % 2)
    noise = data.backgrounds(rng(), "white", 4000)
    image = data.weight(setting) * data.unit(pattern)
    assert_allclose(np.linalg.norm(image), 0.18)
    assert_allclose(np.linalg.norm(data.unit(noise)), 1)


def test_the_strong_signal_has_twice_the_amplitude():
    for weak in SETTINGS:
        if weak.signal == "weak":
            a, b = data.weight(weak), data.weight(weak._replace(signal="strong"))
            strength = (
                np.log1p(np.negative([a, b]))
                if weak.scenario == "multiplicative"
                else np.array([a / (1 - a), b / (1 - b)])
            )
            assert_allclose(strength[1] / strength[0], 2)


def test_correlated_noise_is_correlated_and_white_noise_is_not():
    def neighbours(background):
        noise = data.backgrounds(rng(), background, 4000)
        return np.corrcoef(noise[:, 3, 3], noise[:, 3, 4])[0, 1]

    assert neighbours("correlated") > 0.9
    assert abs(neighbours("white")) < 4 / np.sqrt(4000)  # four standard errors


def test_multiplied_patterns_leave_the_means_of_the_classes_alike():
    pictures = drawn(Setting("multiplicative", "white", "strong"), 4000)
    means = [pictures.images[pictures.labels == c].mean(0) for c in (0, 1)]
    error = pictures.images.std() * np.sqrt(4 / 4000)
    assert np.abs(means[0] - means[1]).max() < 4 * error


def linear_program(weights, pixels):
    """The distance as the textbook's linear program."""
    import scipy.sparse as sp
    from scipy.optimize import linprog

    n, k = transport.DISTANCES.shape[0], len(pixels)
    sent = sp.kron(sp.eye(n), np.ones((1, k)))
    received = sp.kron(np.ones((1, n)), sp.eye(k))
    solved = linprog(
        transport.DISTANCES[:, pixels].ravel(),
        A_eq=sp.vstack([sent, received]).tocsr()[:-1],  # the last follows from the rest
        b_eq=np.concatenate([weights / weights.sum(), np.full(k - 1, 1 / k)]),
    )
    return solved.fun


@pytest.mark.parametrize("size", [4, 8])
def test_the_distance_is_that_of_the_linear_program(size):
    maps = rng().exponential(size=(12, 8, 8))
    maps[3:6] **= 6  # nearly all mass on few pixels
    maps[6:9] *= rng().random((3, 8, 8)) < 0.1  # mass on few pixels
    maps[9] = 1  # ties everywhere
    masks = np.zeros((12, 64), bool)
    for mask in masks:
        mask[rng().choice(64, size, replace=False)] = True
    found = transport.score(maps, masks.reshape(maps.shape))
    expected = [
        1 - linear_program(a.ravel(), np.flatnonzero(mask)) / transport.FARTHEST
        for a, mask in zip(maps, masks, strict=True)
    ]
    # In float32: `ROUNDING` of the mass may be as far away as the diagonal.
    assert_allclose(found, expected, atol=2 * transport.ROUNDING)


def test_a_map_that_is_the_mask_has_the_highest_score_and_zeros_that_of_a_constant():
    mask = data.patterns(rng(), "rigid", np.zeros(1, int)) != 0
    assert_allclose(transport.score(-3.0 * mask, mask), 1)
    nothing, constant = np.zeros(mask.shape), np.ones(mask.shape)
    assert transport.score(nothing, mask) == transport.score(constant, mask) < 0.9


def test_only_networks_that_reach_the_criterion_choose_the_pictures():
    right = {
        "MLP": np.array([[True, True, False], [True, False, True]]),
        "CNN": np.array([[False, True, True], [False, False, False]]),
    }
    accuracy = {"MLP": np.array([0.9, 0.9]), "CNN": np.array([0.9, 0.5])}
    expected = [[False, True, False], [True, False, True]]
    assert_array_equal(study.recognised(right, accuracy), expected)


def test_seeds_that_miss_the_criterion_have_no_score():
    masks = np.zeros((2, 1, 8, 8), bool)
    masks[..., 0, 0] = True
    scores = study.scored({"truth": masks * 1.0}, masks, np.array([True, False]))
    assert_array_equal(scores.precision["truth"], [1, np.nan])
    assert claims.over_seeds(scores.precision["truth"])["mean"] == 1


def made_up(precision, controls):
    same = partial(dict.fromkeys, explain.CONTROLS)
    return study.Result(
        {"MLP": np.ones(3)},
        {"MLP": study.Scores(precision, {})},
        study.Scores(same(np.array(controls)), {}),
        {},
    )


def test_an_explainer_is_above_the_controls_if_the_interval_of_the_gain_is():
    good, noisy = np.array([0.8, 0.9, 0.85]), np.array([0.1, 0.9, 0.5])
    result = made_up({"good": good, "noisy": noisy}, [0.3, 0.35, 0.3])
    counts = claims.better({SETTINGS[0]: result})["all"]
    assert counts == {"of": 2, "above": 1, "below": 0}


def test_what_correlated_noise_costs_is_the_difference_of_the_twins():
    white = made_up({"a": np.full(3, 0.9)}, [0.1] * 3)
    correlated = made_up({"a": np.full(3, 0.6)}, [0.1] * 3)
    setting = Setting("linear", "white", "weak")
    twin = setting._replace(background="correlated")
    lost = claims.noise({setting: white, twin: correlated})["a"]
    assert_allclose([lost["mean"], lost["share_lost"]], [0.3, 1.0])


def test_edge_detectors_are_zero_where_the_picture_is_flat():
    maps = explain.controls(rng(), np.ones((2, 3, 8, 8)))
    assert list(maps) == list(explain.CONTROLS)
    for name in ("Laplace", "Sobel"):
        assert_array_equal(maps[name], 0)


@pytest.mark.slow
@pytest.mark.parametrize("network", ["LLR", "MLP", "CNN"])
def test_networks_reach_the_criterion_of_the_paper(network):
    import jax

    setting, size = Setting("linear", "white", "strong"), study.Size(train=2000)
    train, test = study.stacked(setting, [0], size)
    keys = jax.vmap(jax.random.key)(np.array([0]))
    params = study.trainer(network, True)(train.images, train.labels, keys)
    right = study.recogniser(network)(test.images, params, test.labels)
    assert np.mean(right) >= study.CRITERION


@pytest.mark.slow
def test_the_gradient_of_a_linear_model_finds_the_class_in_white_noise():
    size = study.Size(train=4000, explained=4, quick=True)
    result = study.run(Setting("linear", "white", "strong"), [0], ["LLR"], size)
    # At most one of the eight pixels of the mask, four pictures alike.
    assert result.explainers["LLR"].precision["Gradient"] > 0.85
    assert result.controls.precision["Random"] < 0.5


@pytest.mark.slow
def test_the_quick_benchmark_writes_its_figures_and_numbers(tmp_path):
    from experiments.evidence.tris.__main__ import main

    main(["--quick", "--out", str(tmp_path), "--seeds", "1"])
    for name in ("tris.png", "tris_maps.png"):
        assert 0 < (tmp_path / name).stat().st_size < 300_000
    assert (tmp_path / "metrics.json").exists()
