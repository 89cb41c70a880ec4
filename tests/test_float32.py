"""What users run: 32 bits. The rest of the suite runs in 64, where rounding hides."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import jaxplain as jx


@pytest.fixture(autouse=True)
def _single_precision():
    with jax.enable_x64(False):
        yield


@pytest.mark.parametrize(
    ("num_features", "num_samples"),
    [(50, 200), pytest.param(784, 2048, marks=pytest.mark.slow)],
)
def test_kernel_shap_of_a_linear_function_is_its_weights(num_features, num_samples):
    w = jr.normal(jr.key(1), (num_features,))
    explain = jx.kernel_shap(lambda x: jnp.dot(x, w), num_samples=num_samples)
    phi = jax.jit(explain)(jnp.ones(num_features), baseline=0.0, key=jr.key(0))
    assert phi.dtype == jnp.float32
    # The condition number is near 1e3, times a rounding error of 1e-7, and some room.
    assert np.linalg.norm(phi - w) < 1e-3 * np.linalg.norm(w)


@pytest.mark.slow
def test_a_value_that_the_coalitions_do_not_determine_is_nan():
    w = jnp.arange(1.0, 7.0)
    explain = jx.kernel_shap(lambda x: jnp.dot(x, w), num_samples=10)
    one = lambda key: explain(jnp.ones(6), baseline=0.0, key=key)
    phi = np.asarray(jax.jit(jax.vmap(one))(jr.split(jr.key(0), 100)))
    unknown = np.isnan(phi)
    assert 0 < unknown.mean() < 0.9
    known = np.broadcast_to(w, phi.shape)[~unknown]
    np.testing.assert_allclose(phi[~unknown], known, rtol=1e-4)


@pytest.mark.slow
def test_kernel_shap_sums_to_the_difference_of_the_ends():
    f = lambda x: jnp.tanh(x).sum() ** 2
    x = jr.normal(jr.key(2), (100,))
    phi = jx.kernel_shap(f, num_samples=1000)(x, baseline=0.0, key=jr.key(0))
    # Rounding of a sum of a hundred terms.
    assert abs(phi.sum() - (f(x) - f(0 * x))) < 1e-4 * jnp.abs(phi).sum()


@pytest.mark.parametrize("absent", [jnp.nan, jnp.inf])
def test_a_baseline_that_is_not_finite_counts_only_where_it_shows(absent):
    f = lambda x: jnp.sum(jnp.where(jnp.isfinite(x), x, -1.0))
    x = jnp.array([1.0, 2.0, 3.0])
    v = jx.game(f, x, baseline=absent)
    assert v(jnp.ones(3)) == f(x)
    assert v(jnp.zeros(3)) == -3.0
    assert (jx.occlusion(f)(x, baseline=absent) == x + 1).all()


@pytest.mark.parametrize("chunk_size", [None, 2])
def test_an_infinite_sample_is_infinite_for_every_chunk(chunk_size):
    draw = lambda x, *, key: x / jnp.zeros(())
    average = jx.monte_carlo(draw, num_samples=3, chunk_size=chunk_size)
    assert average(jnp.ones(()), key=jr.key(0)) == jnp.inf


def test_a_baseline_of_the_shape_of_x_is_no_stack():
    ig = jx.integrated_gradients(lambda x: x.sum())
    with pytest.raises(ValueError, match="but has the shapes of `x` itself"):
        jx.expected(ig)(jnp.ones(3), baseline=jnp.zeros(3))


EXPLAINERS = {
    "integrated_gradients": lambda f, x: jx.integrated_gradients(
        f, steps=8, chunk_size=3
    )(x, baseline=0.0),
    "kernel_shap": lambda f, x: jx.kernel_shap(f, chunk_size=2)(
        x, baseline=0.0, key=jr.key(0)
    ),
    "lime": lambda f, x: jx.lime(f, num_samples=50, chunk_size=7)(
        x, baseline=0.0, key=jr.key(0)
    ),
    "smooth": lambda f, x: jx.smooth(
        jx.saliency(f), std=0.1, num_samples=5, chunk_size=2
    )(x, key=jr.key(0)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPLAINERS)
def test_chunks_work_under_shard_map(name):
    mesh = jax.make_mesh((2,), ("b",), axis_types=(jax.sharding.AxisType.Auto,))
    w = jnp.array([1.0, 2.0, 3.0])
    xs = jnp.arange(12.0).reshape(4, 3) / 10
    explain = jax.vmap(lambda x: EXPLAINERS[name](lambda x: jnp.tanh(x @ w), x))
    spec = jax.P("b")
    sharded = jax.shard_map(explain, mesh=mesh, in_specs=spec, out_specs=spec)
    np.testing.assert_allclose(jax.jit(sharded)(xs), explain(xs), atol=1e-6)


def test_a_custom_derivative_survives_a_cut_elsewhere():
    @jax.custom_vjp
    def seven(x):
        return jx.tap(3.0 * x, "in")

    seven.defvjp(lambda x: (seven(x), None), lambda _, g: (7.0 * g,))
    f = lambda x: seven(jx.tap(x + 1.0, "in")).sum()
    value, head = jx.cut(f, jnp.ones(2), at="in@0")
    assert (jax.grad(head)(value) == 7.0).all()


def test_a_function_that_writes_to_an_array_is_not_cut():
    def f(x):
        ref = jax.new_ref(jnp.zeros(3))
        ref[...] = jx.tap(2.0 * x, "h")
        ref[...] += 1.0
        return (ref[...] ** 2).sum()

    with pytest.raises(jx.LayerError, match="writes to a mutable array"):
        jx.cut(f, jnp.ones(3), at="h")


def test_a_replacement_of_another_shape_is_an_error():
    shorter = lambda eqn: (lambda x: x[:2]) if eqn.primitive.name == "sin" else None
    f = jx.rules.rewrite(lambda x: jnp.sin(x).sum(), shorter)
    with pytest.raises(ValueError, match="what replaces `sin` must return"):
        f(jnp.ones(4))
