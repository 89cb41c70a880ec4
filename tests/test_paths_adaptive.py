"""Adaptive integrated gradients: as exact as asked, and honest about it."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close

import jaxplain as jx

paths = jx.paths
X = jnp.array([1.5, -1.0, 0.5, 2.0])
RTOL = 1e-2  # the default


def network(x, weights, scale=1.0):
    """Eight ReLUs and their softer twins: what `relu` leaves, `tanh` saturates."""
    hidden = weights @ jnp.append(x, jnp.ones(1, x.dtype))
    both = jnp.tanh(2 * jax.nn.relu(hidden)) + hidden * jnp.tanh(hidden)
    return scale * jnp.sum(both)


def draw(seed, units=8):
    return jr.normal(jr.key(seed), (units, 5), jnp.float64)


def distance(a, b):
    return float(jnp.linalg.norm(a - b) / jnp.linalg.norm(b))


# One program for most of the tests: they differ in weights and dtypes.
fit = quick_jit(paths.adaptive_fit(network))
fit_with = lambda f, **options: quick_jit(paths.adaptive_fit(f, **options))
# Between 4,000 nodes a kink leaves less than 1e-4.
exact = quick_jit(
    jx.integrated_gradients(network, steps=4000, rule="riemann_middle", chunk_size=500)
)


@pytest.mark.parametrize("seed", range(6))
def test_the_error_is_below_what_was_asked_and_what_is_estimated(seed):
    found = fit(X, draw(seed), baseline=0.0)
    error = distance(found.attribution, exact(X, draw(seed), baseline=0.0))
    assert found.error <= RTOL
    # The estimate is a deviation: three of them contain nearly everything.
    assert error <= 3 * found.error + 1e-4


def test_a_sharp_step_is_found_where_twice_as_many_fixed_nodes_miss_it():
    step = lambda x: jax.nn.sigmoid(300 * (x.sum() / 3 - 0.317))
    found = fit_with(step)(X, baseline=0.0)
    known = X / X.sum() * (step(X) - step(0 * X))  # the gradient has one direction
    assert distance(found.attribution, known) < RTOL
    steps = 2 * int(found.gradients)
    fixed_rule = quick_jit(jx.integrated_gradients(step, steps=steps))(X, baseline=0.0)
    assert distance(fixed_rule, known) > RTOL


@quick_jit
def of_step(slope):
    step = lambda x: jnp.clip(slope * (x[0] - 0.53), 0, 1) + x[1]
    return paths.adaptive_fit(step)(jnp.ones(2), baseline=0.0)


@pytest.mark.parametrize("slope", [1e3, 1e5])
def test_a_step_that_only_the_values_show_is_found(slope):
    found = of_step(slope)
    assert_close(found.attribution, jnp.ones(2), tol=RTOL)
    assert found.error <= RTOL
    assert found.gradients > 17


def test_a_jump_that_no_gradient_shows_is_an_error():
    found = of_step(1e300)
    assert abs(found.attribution[0] - 1) > RTOL
    assert found.error > RTOL


@pytest.mark.slow
@pytest.mark.parametrize(
    "root", [jnp.linalg.norm, lambda x: jnp.sqrt(x).sum()], ids=["norm", "sqrt"]
)
def test_a_root_may_be_infinitely_steep_at_an_end(root):
    found = fit_with(root)(jnp.ones(2), baseline=0.0)
    assert_close(found.attribution, jnp.full(2, root(jnp.ones(2)) / 2), tol=RTOL)
    assert found.error <= RTOL
    back = fit_with(root)(jnp.zeros(2), baseline=1.0)
    assert_close(back.attribution, -found.attribution)


def test_values_that_are_rounded_are_trusted_as_far_as_they_go():
    narrow = lambda x: (100.1 + jnp.sum(jnp.tanh(x))).astype(jnp.bfloat16)
    found = fit_with(narrow)(X, baseline=0.1)
    # The gradients agree; only the values, in 8 bits, seem to contradict them.
    assert found.gradients == 17


@pytest.mark.slow
def test_a_smaller_tolerance_takes_more_gradients_and_leaves_less_error():
    rough = fit(X, draw(0), baseline=0.0)
    fine = fit_with(network, rtol=1e-3)(X, draw(0), baseline=0.0)
    assert rough.gradients < fine.gradients
    known = exact(X, draw(0), baseline=0.0)
    assert distance(fine.attribution, known) < distance(rough.attribution, known)


@pytest.mark.parametrize("kink", [0.11, 0.5, 0.731])
def test_one_kink_is_exact(kink):
    out = of_kink(jnp.ones(2), kink, baseline=0.0)
    # Before the kink, only what has none counts.
    assert_close(out.attribution, (1 - kink) * jnp.array([1.0, 2.0]) + FIRST)
    assert out.gradients > 17


FIRST = jnp.array([1.0, 0.0])
of_kink = fit_with(lambda x, k: jax.nn.relu(x[0] + 2 * x[1] - 3 * k) + x[0])


def test_a_cube_is_exact_after_the_first_nodes():
    found = fit_with(lambda x, b: jnp.sum(x**3))(X, 1.0, baseline=1.0)
    assert_close(found.attribution, X**3 - 1)
    assert found.gradients == 17


def test_a_feature_without_effect_gets_nothing():
    found = fit(X, draw(1).at[:, 2].set(0.0), baseline=0.0)
    assert found.attribution[2] == 0
    assert found.gradients > 17


def test_what_is_constant_has_no_attribution_and_no_error():
    found = fit(X, draw(0).at[:, :4].set(0.0), baseline=0.0)
    assert not found.attribution.any()
    assert (found.error, found.gap, found.gradients) == (0, 0, 17)


def test_the_gap_is_that_of_the_attribution():
    found = fit(X, draw(2), baseline=0.5)
    gap = jx.metrics.completeness_gap(network)(
        X, draw(2), attribution=found.attribution, baseline=0.5
    )
    # Two sums in another order, of values of 10.
    np.testing.assert_allclose(found.gap, gap, atol=1e-13)


def test_the_nodes_run_out_and_the_error_says_so():
    found = fit_with(network, rtol=1e-6, max_nodes=30, batch=4)(
        X, draw(3), baseline=0.0
    )
    assert found.gradients == 29
    assert found.error > 1e-6


@pytest.mark.parametrize("scale", [2.0**-90, 2.0**90])
def test_the_units_of_f_do_not_matter_even_in_float32(scale):
    given = X.astype(jnp.float32), draw(0).astype(jnp.float32)
    one, other = (fit(*given, jnp.float32(s), baseline=0.0) for s in (1.0, scale))
    assert one.gradients == other.gradients > 17
    assert_close(other.attribution / jnp.float32(scale), one.attribution)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_narrow_input_keeps_its_dtype_and_its_accuracy(dtype):
    narrow = X.astype(dtype), draw(0).astype(dtype)
    one = jnp.ones((), dtype)
    found = fit(*narrow, one, baseline=0.0)
    assert found.attribution.dtype == dtype
    assert found.error.dtype == jnp.float32
    wide = [a.astype(jnp.float64) for a in narrow]
    # Values of `f` in 8 bits are off by 4e-3 before anything is integrated.
    tol = {"float32": RTOL, "bfloat16": 5e-2}[dtype]
    known = exact(*wide, baseline=0.0)
    assert_close(found.attribution.astype(jnp.float64), known, tol=tol)


@pytest.mark.parametrize("bad", [jnp.nan, jnp.inf])
def test_a_value_that_is_no_number_spoils_the_answer(bad):
    assert jnp.isnan(of_spoilt(X, bad, baseline=0.0).attribution).all()


of_spoilt = fit_with(lambda x, bad: jnp.where(x.sum() > 1.0, bad, x.sum() ** 2))


@pytest.mark.slow
def test_a_batch_is_a_loop():
    weights = jnp.stack([draw(seed) for seed in range(3)])
    batch = quick_jit(
        jax.vmap(lambda w: paths.adaptive_fit(network)(X, w, baseline=0.0))
    )(weights)
    assert len(set(batch.gradients.tolist())) > 1  # they do not finish together
    for w, attribution, gradients in zip(weights, batch.attribution, batch.gradients):
        one = fit(X, w, baseline=0.0)
        # Batched products add in another order.
        assert_close(attribution, one.attribution, tol=1e-10)
        assert gradients == one.gradients


@pytest.mark.slow
def test_shards_are_explained_where_they_lie():
    xs = jnp.stack([X, -X])
    explain = jax.vmap(lambda x: paths.adaptive_ig(network)(x, draw(0), baseline=0.0))
    auto = jax.sharding.AxisType.Auto
    mesh = jax.make_mesh((jax.device_count(),), ("batch",), axis_types=(auto,))
    rows = jax.P("batch")
    each = jax.shard_map(explain, mesh=mesh, in_specs=rows, out_specs=rows)
    alone = [fit(x, draw(0), baseline=0.0).attribution for x in xs]
    # Batched products add in another order.
    assert_close(quick_jit(each)(xs), jnp.stack(alone), tol=1e-10)


@pytest.mark.slow
def test_forward_derivatives_exist():
    explain = lambda x: paths.adaptive_ig(lambda x: jnp.sum(x**3))(x, baseline=0.0)
    out, slope = quick_jit(lambda x: jax.jvp(explain, (x,), (jnp.ones_like(x),)))(X)
    assert_close((out, slope), (X**3, 3 * X**2))  # the attribution is the cube


def test_reverse_derivatives_say_that_they_do_not_exist():
    explain = lambda x: paths.adaptive_ig(lambda x: jnp.sum(x**3))(x, baseline=0.0)
    with pytest.raises(ValueError, match="Reverse-mode differentiation"):
        jax.eval_shape(jax.grad(lambda x: explain(x).sum()), X)


def test_the_nested_rules_are_exact_for_polynomials():
    nodes, fine, coarse = paths._adaptive._nested()
    for weights, degree in ((fine, 16), (coarse, 8)):
        powers = np.arange(degree + 1)
        moments = weights @ nodes[:, None] ** powers
        # Of 17 terms below 1.
        np.testing.assert_allclose(moments, 1 / (powers + 1), atol=1e-14)
        assert (weights >= 0).all()
