"""Elementary effects, beside a walk along the trajectories."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from explainers import quick_jit
from helpers import assert_close

from jaxplain.sensitivity import _morris, morris

KEY = jr.key(5, impl="rbg")  # which compiles faster


def test_effects_of_a_linear_function_are_slopes_times_ranges():
    slopes, low, high = np.array([1.0, -2, 0.5]), jnp.array([0.0, 1, -1]), 2.0
    analyse = quick_jit(morris(lambda x: x @ slopes + 3, num_trajectories=5, levels=6))
    out = analyse(low, jnp.full(3, high), key=KEY)
    expected = slopes * (high - np.asarray(low))
    assert_close(out.mu, expected)
    assert_close(out.mu_star, np.abs(expected))
    assert np.max(out.sigma) < 1e-14
    assert out.evaluations == 5 * 4


def test_a_trajectory_moves_every_group_once_by_half_the_grid():
    labels, levels = np.array([0, 1, 1, 2]), 4
    seen = []

    def f(x):
        jax.debug.callback(lambda x: seen.append(np.asarray(x)), x, ordered=True)
        return x.sum()

    analyse = morris(f, num_groups=3, num_trajectories=3, levels=levels, chunk_size=1)
    quick_jit(analyse)(jnp.zeros(4), jnp.ones(4), key=KEY, groups=labels)
    jax.effects_barrier()
    walks = np.array(seen).reshape(3, 4, 4)
    places = walks * (levels - 1)
    assert_close(places, np.round(places))
    assert places.min() >= 0
    assert places.max() <= levels - 1 + 1e-12
    steps = np.diff(walks, axis=1)
    for walk in steps:
        moved = [{int(g) for g in labels[np.abs(step) > 0]} for step in walk]
        assert sorted(map(tuple, moved)) == [(0,), (1,), (2,)]
    assert_close(np.abs(steps[steps != 0]), np.full(12, 2 / 3))


def test_elementary_effects_are_those_of_a_walk_along_the_trajectories():
    d, num, levels = 3, 4, 4
    f = lambda x: x[0] * x[1] + x[2] ** 3 * x[0]
    draws = quick_jit(lambda: _morris._trajectories(KEY, num, levels, d, d))()
    start, up, rank = map(np.asarray, draws)
    start, effects = start / (levels - 1), np.zeros((num, d))
    step = levels / 2 / (levels - 1)
    for t in range(num):
        point = np.where(up[t], start[t], start[t] + step)
        before = float(f(point))
        for j in np.argsort(rank[t]):
            sign = 1 if up[t, j] else -1
            point[j] += sign * step
            after = float(f(point))
            effects[t, j] = sign * (after - before) / step
            before = after
    out = quick_jit(morris(f, num_trajectories=num, levels=levels))(
        0.0, jnp.ones(d), key=KEY
    )
    assert_close(out.mu, effects.mean(0))
    assert_close(out.mu_star, np.abs(effects).mean(0))
    assert_close(out.sigma, effects.std(0, ddof=1))
    assert_close(out.mu_star_error, np.abs(effects).std(0, ddof=1) / num**0.5)


def test_a_group_of_several_factors_has_a_size_and_no_direction():
    f = lambda x: x[0] - x[1] + 2 * x[2]
    analyse = morris(f, num_groups=3, num_trajectories=40)
    out = quick_jit(analyse)(0.0, jnp.ones(3), key=KEY, groups=np.array([0, 0, 1]))
    assert np.array_equal(np.isnan(out.mu), [True, False, False])
    assert np.array_equal(np.isnan(out.sigma), [True, False, False])
    # Both steps help each other half of the time, and cancel else: 2 or 0.
    assert abs(out.mu_star[0] - 1) <= 4 * out.mu_star_error[0]
    assert_close(out.mu_star[1:], np.array([2.0, 0.0]))
