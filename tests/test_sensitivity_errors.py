"""What a sensitivity analysis refuses, word for word."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from raising import cases, check

from jaxplain.sensitivity import (
    _design,
    morris,
    sobol_indices,
    sobol_interactions,
)

KEY = jr.key(0)
ONES = jnp.ones(2)
analyse = sobol_indices(jnp.sum, num_samples=8, num_replicates=2)


@cases(
    uneven_replicates=(
        lambda: sobol_indices(jnp.sum, num_samples=1000),
        ValueError,
        "`num_samples` must be `num_replicates` times a power of 2, at most 1048576, "
        "but is 1000 for 8 replicates. Take 512 samples, or `design=\"random\"`.",
    ),
    fewer_samples_than_replicates=(
        lambda: sobol_interactions(jnp.sum, num_samples=4),
        ValueError,
        "`num_samples` must be `num_replicates` times a power of 2, at most 1048576, "
        "but is 4 for 8 replicates. Take 8 samples, or `design=\"random\"`.",
    ),
    one_replicate=(
        lambda: sobol_indices(jnp.sum, num_replicates=1),
        ValueError,
        "`num_replicates` must be at least 2, but is 1.",
    ),
    unknown_design=(
        lambda: sobol_indices(jnp.sum, design="halton"),
        ValueError,
        "`design` must be one of 'sobol', 'random', but is 'halton'.",
    ),
    too_many_factors=(
        lambda: _design.pairs(KEY, 8, 2, 20_000),
        ValueError,
        "Sobol sequences are known for at most 10600 factors, but there are 20000. "
        "Hold some of them, or take `design=\"random\"`.",
    ),
    odd_levels=(
        lambda: morris(jnp.sum, levels=5),
        ValueError,
        "`levels` must be even, but is 5: a step over half of an odd grid would miss "
        "its values. Take 6.",
    ),
    too_many_levels=(
        lambda: morris(jnp.sum, levels=2**33),
        ValueError,
        "`levels` must be at most 1048576, but is 8589934592. Take few, such as 4: an "
        "effect is that of half the grid, however fine.",
    ),
    one_trajectory=(
        lambda: morris(jnp.sum, num_trajectories=1),
        ValueError,
        "`num_trajectories` must be at least 2, but is 1.",
    ),
    ends_in_the_wrong_order=(
        lambda: analyse(jnp.array([0.0, 2.0]), ONES, key=KEY),
        ValueError,
        "`low` and `high` must be finite, and `low` not above `high`, but one factor "
        "runs from 2 to 1. Order the ends, or hold the factor at a value with both of "
        "them.",
    ),
    a_range_without_end=(
        lambda: analyse(0.0, jnp.array([1.0, np.inf]), key=KEY),
        ValueError,
        "`low` and `high` must be finite, and `low` not above `high`, but one factor "
        "runs from 0 to inf. Order the ends, or hold the factor at a value with both "
        "of them.",
    ),
    other_shapes=(
        lambda: analyse(jnp.zeros(3), ONES, key=KEY),
        ValueError,
        "`low` must broadcast to `high`, which is float64[2], but is float64[3]. Give "
        "both the shape of the input of `f`, or one number for `low`.",
    ),
    integers=(
        lambda: analyse(0, np.ones(2, int), key=KEY),
        TypeError,
        "`high` must hold floating-point arrays with at least one entry, but is "
        "int64[2]. It has the shape of the input of `f`; convert numbers with "
        "`.astype(float)`.",
    ),
    nothing=(
        lambda: analyse(0.0, jnp.ones(0), key=KEY),
        TypeError,
        "`high` must hold floating-point arrays with at least one entry, but is "
        "float64[0]. It has the shape of the input of `f`; convert numbers with "
        "`.astype(float)`.",
    ),
    words=(
        lambda: analyse("low", ONES, key=KEY),
        TypeError,
        "`low` must hold numbers, but holds str. Pass the ends of the range of each "
        "factor, such as `jax.numpy.zeros(3), jax.numpy.ones(3)`.",
    ),
    several_outputs=(
        lambda: morris(lambda x: x)(0.0, ONES, key=KEY),
        ValueError,
        "`f` must return a scalar, but returned shape (2,). Select one output, for "
        "example `lambda x: model(x)[label]`.",
    ),
)  # fmt: skip
def test_what_does_not_fit_is_an_error(call, error, message):
    check(call, error, message)


@pytest.mark.parametrize("make", [morris, sobol_indices, sobol_interactions])
def test_a_key_and_the_number_of_groups_are_asked_for(make):
    who = make.__name__
    check(
        lambda: make(jnp.sum)(0.0, ONES),
        TypeError,
        f"`key` is missing: {who} draws random samples. Pass one, for example "
        "`key=jax.random.key(0)`.",
    )
    check(
        lambda: make(jnp.sum)(0.0, ONES, key=KEY, groups=np.array([0, 0])),
        ValueError,
        f"`groups` was passed, but {who} was made without `num_groups`. Say how many "
        f"there are, for example `{who}(f, num_groups=50)`.",
    )
    check(
        lambda: make(jnp.sum, num_groups=2)(0.0, ONES, key=KEY, groups=[0, 2]),
        ValueError,
        "`groups` must hold labels from 0 to 1 for 2 groups, but they run from 0 to 2. "
        "Number the groups from 0, and count them all in `num_groups`.",
    )


def test_a_factor_may_be_held_at_a_value():
    out = jax.jit(morris(jnp.sum))(jnp.array([1.0, 0.0]), ONES, key=KEY)
    assert out.mu_star[0] == 0 < out.mu_star[1]
