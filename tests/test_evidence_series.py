"""Series of known cause: the recipes, the published numbers, and what they reward."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close
from relaxed import relaxed
from scipy import stats

from experiments.evidence import programs, seeds
from experiments.evidence.series import data, masks, measure, model, published, tunnel
from experiments.evidence.series.__main__ import main


def rng(seed=0):
    return np.random.default_rng(seed)


def test_the_process_follows_its_recursion():
    x = data.arma(rng(), 2).astype(float)
    noise = rng().standard_normal(x.shape)
    lagged = [np.pad(x, ((0, 0), (k, 0), (0, 0)))[:, : x.shape[1]] for k in range(4)]
    left = sum(a * x_lag for a, x_lag in zip(data.AR, lagged, strict=True))
    assert_close(left, data.MA[0] * noise, tol=1e-6)  # the series are float32


def test_of_rare_features_five_channels_count_in_the_middle_of_the_time():
    salient = data.rare_features(rng(), 6).salient
    np.testing.assert_array_equal(salient.any(1).sum(1), 5)
    np.testing.assert_array_equal(np.flatnonzero(salient.any((0, 2))), range(12, 37))
    assert salient.sum() == 6 * 5 * 25


def test_of_rare_times_five_steps_in_a_row_count_in_the_middle_channels():
    salient = data.rare_times(rng(), 6).salient
    for mask in salient:
        steps = np.flatnonzero(mask.any(1))
        assert len(steps) == 5
        assert np.ptp(steps) == 4
    np.testing.assert_array_equal(np.flatnonzero(salient.any((0, 1))), range(12, 37))


def test_each_state_has_its_means_and_tells_the_label_by_its_channel():
    drawn = data.states(rng(), 100)
    np.testing.assert_array_equal(drawn.salient.sum(-1), 1)
    for state in (0, 1):
        rows = drawn.x[drawn.states == state].astype(float)
        error = np.sqrt(data.VARIANCE / len(rows))
        assert np.abs(rows.mean(0) - data.MEANS[state]).max() < 4 * error
        told = rows[:, data.TELLS[state]]
        chance = 1 / (1 + np.exp(-2 * told))
        labels = drawn.labels[drawn.states == state]
        error = np.sqrt((chance * (1 - chance)).mean() / len(rows))
        assert abs((labels - chance).mean()) < 4 * error


def test_a_long_run_in_state_one_is_likelier_to_end():
    found = data.states(rng(), 400).states
    stays = found[:, 1:] == found[:, :-1]
    zero = stays[found[:, :-1] == 0]
    error = np.sqrt(0.95 * 0.05 / len(zero))
    assert abs(zero.mean() - 0.95) < 4 * error
    # In state 1, and for at least ten steps before.
    long = np.all([found[:, 10 - k : -1 - k] == 1 for k in range(11)], axis=0)
    after = stays[:, 10:][long]
    error = np.sqrt(0.93 * 0.07 / len(after))
    assert after.mean() < data.STAY - 10 / data.TIRING + 4 * error


@pytest.mark.parametrize("name", ["rare features", "rare times"])
def test_integrated_gradients_have_their_published_scores(name):
    draw = data.rare_features if name == "rare features" else data.rare_times
    found = []
    for seed in range(8):
        x, salient = draw(rng(seed), 10)
        # Of a sum of squares they are the squares, exactly.
        found.append(measure.numbers(np.where(salient, x, 0) ** 2, salient))
    theirs = published.TABLES[name]["Integrated gradients"]
    assert min(f["area_under_precision"] for f in found) > 0.9995  # published: 1.000
    for key, deviation in published.DEVIATIONS[name].items():
        values = np.array([f[key] for f in found])
        error = np.hypot(values.std(ddof=1) / np.sqrt(8), deviation / np.sqrt(5))
        assert abs(values.mean() - theirs[key]) < 4 * error


def test_the_answer_itself_loses_half_of_its_precision_to_lines():
    salient = data.rare_features(rng(), 10).salient
    found = measure.numbers(salient.astype(float), salient)
    assert found["area_under_precision_exact"] == 1
    assert found["area_under_recall"] > 0.99
    # Two thresholds: the share of the mask, 0.05, at the lower, and 1 at the upper.
    assert found["area_under_precision"] == pytest.approx((0.05 + 1) / 2)


def test_only_what_depends_on_order_ignores_how_a_map_spreads():
    x, salient = data.rare_features(rng(), 10)
    noise = 0.3 * rng(1).random(x.shape)
    spread = measure.transformed(np.where(salient, x, 0) ** 2 + noise, salient)
    first, second = (
        measure.numbers(spread[k], salient) for k in ("the map", "its fourth root")
    )
    for key in ("roc_auc", "average_precision"):
        assert first[key] == pytest.approx(second[key])
        assert first[key] < 1
    assert second["area_under_recall"] > 1.5 * first["area_under_recall"]
    assert second["information"] > 1.5 * first["information"]


def test_a_constant_map_is_scaled_to_zero():
    maps = jnp.asarray([[2.0, 2.0], [3.0, 5.0]])
    assert_close(measure.scaled(maps), [[0.0, 0.0], [0.0, 1.0]])


def test_a_mask_learnt_of_a_sum_of_squares_selects_the_largest():
    x = jnp.asarray(rng().normal(size=(5, 4)))
    found = masks.learned(lambda x: (x**2).sum(), x, np.array([0.5, 0.7]), 40)
    highest = np.argsort(np.abs(np.asarray(x)).ravel())[::-1]
    assert set(np.argsort(np.asarray(found.mean).ravel())[::-1][:10]) == set(
        highest[:10]
    )


@pytest.mark.slow
def test_the_chosen_mask_is_the_smallest_that_keeps_enough():
    x = jnp.asarray([10.0, 0.1, 0.1, 0.1])
    first = masks.learned(lambda x: x.sum(), x, np.array([0.25, 0.5]), 30)
    assert first.smallest.round().sum() == 2  # one entry keeps 97 % of the sum
    x = jnp.asarray([10.0, 0.01, 0.01, 0.01])
    first = masks.learned(lambda x: x.sum(), x, np.array([0.25, 0.5]), 30)
    assert first.smallest.round().sum() == 1


@pytest.mark.slow
def test_a_row_given_its_past_has_the_logit_of_its_step():
    x = data.states(rng(), 1).x[0, :6]
    rows = jax.vmap(tunnel.of_row, (0, 0, None, None))
    with relaxed():
        params = jax.jit(model.initial)(0)
        whole, states = jax.jit(lambda p: (model.logits(p, x), model.states(p, x)))(
            params
        )
        assert_close(rows(x, states[:-1], params, jnp.int32(1)), whole[:, 1])


def test_an_interval_over_seeds_is_that_of_student():
    values = [0.2, 0.4, 0.9]
    low, high = stats.t.interval(0.95, 2, np.mean(values), stats.sem(values))
    found = seeds.interval(values)
    assert_close(found["mean"] - found["half_width"], low)
    assert_close(found["mean"] + found["half_width"], high)
    assert np.isnan(seeds.interval([0.3])["half_width"])


def test_the_seeds_are_counted_from_the_first():
    parse = seeds.parser("series", None).parse_args
    assert seeds.chosen(parse(["--seed", "3", "--seeds", "2"])) == [3, 4]
    assert len(seeds.chosen(parse([]))) == 5
    with pytest.raises(ValueError, match="at least 1 seed, got 0"):
        seeds.chosen(parse(["--seeds", "0"]))


def test_a_second_training_finds_its_step_compiled():
    import optax

    traces, sgd = [], optax.sgd(0.1)

    def loss(w, x):
        traces.append(x)
        return jnp.sum((w - x) ** 2)

    target = jnp.asarray(np.ones(()))
    for start in jnp.asarray([0.0, 5.0]):
        found = programs.fit(loss, start, [(target,)] * 40, sgd)
        assert_close(found, 1.0, tol=1e-2)  # 0.8 ** 40, times the distance
    assert len(traces) == 1


def test_items_keep_their_order_two_at_a_time():
    assert programs.each(lambda i: i**2, range(5)) == [0, 1, 4, 9, 16]


@pytest.mark.slow
def test_the_quick_benchmark_writes_its_figures_and_numbers(tmp_path):
    with relaxed():
        main(["--quick", "--seeds", "1", "--out", str(tmp_path)])
    assert (tmp_path / "metrics.json").exists()
    for name in ("series", "traps"):
        assert 10_000 < (tmp_path / f"{name}.png").stat().st_size < 400_000
