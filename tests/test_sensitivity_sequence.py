"""Sobol sequences, beside what makes a net and beside those of SciPy."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from explainers import quick_jit

from jaxplain.sensitivity import _sequence, sobol_indices

KEY = jr.key(5, impl="rbg")  # which compiles faster


def test_a_scrambled_sequence_has_one_point_in_each_part_of_each_axis():
    draw = lambda i: _sequence.scrambled_sobol(KEY, 16, 2, 5)(i)
    points = np.asarray(quick_jit(jax.vmap(draw))(jnp.arange(32)))
    assert points.dtype == np.float32
    assert np.all((points > 0) & (points < 1))
    for replicate in points[:16], points[16:]:
        parts = np.sort(np.floor(replicate * 16).astype(int), 0)
        assert np.array_equal(parts, np.repeat(np.arange(16)[:, None], 5, 1))
        # And one in each of 4 x 4 cells of the first two axes.
        cells = np.floor(replicate[:, :2] * 4) @ np.array([4, 1], np.float32)
        assert len(np.unique(cells)) == 16
    assert not np.any(points[:16] == points[16:])


def test_random_points_are_the_same_alone_and_together():
    draw = _sequence.independent(KEY, 3)
    together = quick_jit(jax.vmap(draw))(jnp.array([4, 7, 4, 1]))
    alone = quick_jit(draw)(jnp.array(4))
    assert np.array_equal(together[0], alone)
    assert np.array_equal(together[2], alone)
    assert len(np.unique(together)) == 9


def test_random_points_take_no_table():
    def temporary(num):
        analyse = sobol_indices(jnp.sum, num_samples=num, design="random", chunk_size=8)
        run = jax.jit(lambda low, high: analyse(low, high, key=KEY))
        args = jnp.zeros(50, jnp.float32), jnp.ones(50, jnp.float32)
        return run.lower(*args).compile().memory_analysis().temp_size_in_bytes

    # The bound of the docstring, in bytes.
    assert temporary(1024) - temporary(512) <= 4 * 4 * 512 * 52


def test_the_directions_are_those_of_scipys_sequence():
    qmc = pytest.importorskip("scipy.stats").qmc
    directions = _sequence._directions(6, 4)
    words = [
        np.bitwise_xor.reduce(directions[:, [k for k in range(4) if i >> k & 1]], 1)
        for i in range(16)
    ]
    ours = {tuple(word * 2.0**-_sequence.BITS) for word in words}
    assert ours == set(map(tuple, qmc.Sobol(6, scramble=False).random(16)))
