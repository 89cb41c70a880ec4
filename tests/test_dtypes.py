"""What comes out has the dtype of what went in; sums run in float32 at least."""

import subprocess
import sys
import textwrap
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close

import jaxplain as jx

KEY = jax.random.key(0)
NUM = 700  # enough for a sum in bfloat16 or float16 to be wrong
SLOPES = np.array([3.0, -2.0, 0.5])
LOW = [jnp.bfloat16, jnp.float16]
DTYPES = [*LOW, jnp.float32, jnp.float64]


def linear(x):
    """A sum in float32 at least, so that what is lost is lost by the explainer."""
    wide = jnp.float64 if x.dtype == jnp.float64 else jnp.float32
    return jnp.sum(x.astype(wide) * jnp.asarray(SLOPES, wide))


def ig(f, **options):
    return partial(jx.integrated_gradients(f, **options), baseline=0.0)


def expected(f, **options):
    explain = jx.expected(jx.integrated_gradients(f, steps=1), **options)
    zeros = lambda leaf: jnp.zeros((NUM, *leaf.shape), leaf.dtype)
    return lambda x: explain(x, baseline=jax.tree.map(zeros, x))


def smooth(f, **options):
    return partial(jx.smooth(jx.saliency(f), std=0.1, **options), key=KEY)


def monte_carlo(f, **options):
    explain = lambda x, *, key: jax.tree.map(jnp.multiply, jax.grad(f)(x), x)
    return partial(jx.monte_carlo(explain, **options), key=KEY)


def lime(f, **options):
    return partial(jx.lime(f, ridge=0.0, **options), baseline=0.0, key=KEY)


def kernel_shap(f, **options):
    return partial(jx.kernel_shap(f, **options), baseline=0.0, key=KEY)


def occlusion(f):
    return partial(jx.occlusion(f), baseline=0.0)


ALL = {
    "saliency": jx.saliency,
    "input_x_gradient": jx.input_x_gradient,
    "integrated_gradients": partial(ig, steps=4),
    "expected": expected,
    "smooth": partial(smooth, num_samples=4),
    "monte_carlo": partial(monte_carlo, num_samples=4),
    "occlusion": occlusion,
    "lime": partial(lime, num_samples=16),
    "kernel_shap": kernel_shap,
    "integrated_gradients_in_chunks": partial(ig, steps=4, chunk_size=2),
    "lime_in_chunks": partial(lime, num_samples=16, chunk_size=4),
}


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: jnp.dtype(d).name)
@pytest.mark.parametrize("make", ALL.values(), ids=ALL.keys())
def test_the_dtype_of_the_input_is_that_of_the_explanation(make, dtype):
    x = jnp.asarray([1.0, 2.0, 4.0], dtype)
    phi = jax.eval_shape(make(linear), x)
    assert (phi.shape, phi.dtype) == (x.shape, x.dtype)


@pytest.mark.parametrize("make", ALL.values(), ids=ALL.keys())
def test_float64_keeps_its_precision(make):
    x = np.array([1.0, 2.0, 4.0]) / 3
    times = 1.0 if make in (jx.saliency, ALL["smooth"]) else x
    # A tenth of a float32's epsilon: one sum in float32 anywhere would miss it.
    assert_close(jax.jit(make(linear))(x), SLOPES * times, tol=1e-8)


def sums_in(dtype, terms):
    """What a loop in `dtype` makes of a mean of `NUM` equal terms."""
    add = lambda total, term: (total + term, None)
    terms = jnp.full(NUM, terms / NUM, dtype)
    return jax.lax.scan(add, jnp.zeros((), dtype), terms)[0]


@pytest.mark.parametrize("dtype", LOW, ids=["bfloat16", "float16"])
def test_a_sum_in_the_dtype_of_the_input_would_be_wrong(dtype):
    assert abs(float(sums_in(dtype, 3.0)) - 3.0) > 0.03  # a percent, at least


MIDDLE = "riemann_middle"  # whose nodes take no time to find
ACCURATE = {
    "integrated_gradients": partial(ig, steps=NUM, rule=MIDDLE, chunk_size=1),
    "integrated_gradients_at_once": partial(ig, steps=NUM, rule=MIDDLE),
    "expected": partial(expected, chunk_size=1),
    "smooth": partial(smooth, num_samples=NUM, chunk_size=1),
    "monte_carlo": partial(monte_carlo, num_samples=NUM, chunk_size=1),
    "lime": partial(lime, num_samples=NUM, chunk_size=4),
    "kernel_shap": partial(kernel_shap, num_samples=NUM, chunk_size=4),
    "occlusion": occlusion,
}


@pytest.mark.slow
@pytest.mark.parametrize("dtype", LOW, ids=["bfloat16", "float16"])
@pytest.mark.parametrize("make", ACCURATE.values(), ids=ACCURATE.keys())
def test_half_precision_is_rounded_once_at_the_end(make, dtype):
    x = jnp.ones(3, dtype)
    phi = jax.jit(make(linear))(x)
    # Half a unit in the last place of the result, and float32 before.
    limit = float(jnp.finfo(dtype).eps) / 2 + 1e-5
    np.testing.assert_allclose(np.asarray(phi, np.float64), SLOPES, rtol=limit)


def test_metrics_of_half_precision_are_float32():
    x = jnp.ones(4096, jnp.bfloat16)
    f = lambda x: jnp.sum(x, dtype=jnp.float32) / 4096
    phi = jnp.full(4096, 1 / 4096, jnp.bfloat16)
    gap = jx.metrics.completeness_gap(f)(x, attribution=phi, baseline=0.0)
    assert gap.dtype == jnp.float32
    assert abs(gap) < 1e-6  # in bfloat16 the sum of 4096 terms would stop at 1/16
    curve = jx.metrics.deletion(f, steps=64)(x, attribution=phi, baseline=0.0)
    assert {leaf.dtype for leaf in curve} == {jnp.dtype("float32")}
    assert_close(curve.value, jnp.linspace(1, 0, 65, dtype=jnp.float32))
    assert_close(curve.area, jnp.float32(0.5))


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, bool, np.float16])
def test_an_attribution_of_any_dtype_ranks(dtype):
    attribution = np.array([0, 1, 0, 2]).astype(dtype)
    curve = jx.metrics.deletion(jnp.sum, steps=2)(
        jnp.array([1.0, 2.0, 4.0, 8.0]), attribution=attribution, baseline=0.0
    )
    assert_close(curve.value, jnp.array([15.0, 5.0, 0.0]))


def test_grad_cam_of_half_precision_averages_in_float32():
    image = jnp.full((64, 64, 1), 3.0, jnp.bfloat16)
    # A gradient of 1 at each pixel but one, where it is 300.
    scale = jnp.ones((64, 64, 1)).at[0, 0].set(300.0).astype(jnp.bfloat16)
    f = lambda x: jnp.sum((jx.tap(x, "x") * scale).astype(jnp.float32))
    heatmap = jx.grad_cam(f, at="x")(image)
    assert heatmap.dtype == jnp.bfloat16
    exact = 3 * (1 + 299 / 64**2)
    assert_close(heatmap, np.full((64, 64), exact), tol=2**-8)


def test_a_game_of_half_precision_is_a_float32_game_of_its_function():
    f = lambda x: jnp.sum(x)
    v = jx.game(f, jnp.ones(3, jnp.bfloat16), baseline=0.0)
    assert v(jnp.ones(3)).dtype == jnp.bfloat16  # in the units, and dtype, of `f`


@pytest.mark.slow
@pytest.mark.parametrize("make", ALL.values(), ids=ALL.keys())
def test_each_leaf_of_a_mixed_input_keeps_its_dtype(make):
    x = {
        "a": jnp.ones(2, jnp.float32),
        "b": (jnp.ones(1, jnp.bfloat16), jnp.ones(2, jnp.float64)),
    }
    f = lambda x: sum(jnp.sum(leaf, dtype=jnp.float64) for leaf in jax.tree.leaves(x))
    phi = jax.jit(make(f))(x)
    assert jax.tree.map(lambda p: p.dtype, phi) == jax.tree.map(lambda p: p.dtype, x)
    assert_close(phi, x, tol=0.02)  # lime of 16 samples in float64 is exact to rounding


def test_groups_of_a_mixed_input_have_its_widest_dtype():
    x = {"a": jnp.ones(2, jnp.bfloat16), "b": jnp.ones(2, jnp.float32)}
    f = lambda x: sum(jnp.sum(leaf, dtype=jnp.float32) for leaf in jax.tree.leaves(x))
    groups = {"a": 0, "b": np.array([0, 1])}
    phi = jx.occlusion(f, num_groups=2)(x, baseline=0.0, groups=groups)
    assert_close(phi, jnp.array([3.0, 1.0], jnp.float32))
    assert phi.dtype == jnp.float32


@pytest.mark.parametrize(
    "baseline",
    [0, 0.0, False, np.float64(0), np.int8(0), np.zeros(3), jnp.zeros(3, jnp.bfloat16)],
    ids=lambda b: f"{type(b).__name__}{np.shape(b)}",
)
def test_the_baseline_takes_the_dtype_of_the_input(baseline):
    phi = jx.integrated_gradients(linear, steps=1)(
        jnp.ones(3, jnp.float32), baseline=baseline
    )
    assert phi.dtype == jnp.float32
    assert_close(phi, jnp.asarray(SLOPES, jnp.float32))


def test_the_mask_may_have_any_dtype():
    v = jx.game(linear, jnp.ones(3, jnp.float32), baseline=0.0, groups=[0, 0, 1])
    for dtype in (bool, int, np.uint8, np.float16, np.float32, np.float64):
        value = v(np.array([1, 0], dtype))
        assert (value, value.dtype) == (1.0, jnp.float32)


def test_a_python_float_is_an_input():
    f = lambda x: x**2
    makes = jx.saliency, jx.input_x_gradient, smooth, kernel_shap, occlusion, ig
    found = jax.jit(lambda: [make(f)(3.0) for make in makes])()
    assert [phi.shape for phi in found] == [()] * len(makes)
    gradient, times_input, _, *complete = found
    assert_close(gradient, jnp.asarray(6.0))
    assert_close(times_input, jnp.asarray(18.0))
    assert_close(complete, [jnp.asarray(9.0)] * 3)


def test_large_numbers_of_half_precision_do_not_overflow():
    x = jnp.full(3, 60000.0, jnp.float16)  # the difference to the baseline is not one
    f = lambda x: 1e-3 * linear(x)
    phi = jx.integrated_gradients(f, steps=4)(x, baseline=-x)
    assert_close(phi, jnp.asarray(120 * SLOPES, jnp.float16))
    assert_close(
        jx.occlusion(f)(x, baseline=-x), jnp.asarray(120 * SLOPES, jnp.float16)
    )


def test_explanations_scale_with_the_function_far_from_one():
    x = jnp.ones(3, jnp.float32)
    makes = ALL["integrated_gradients"], kernel_shap, ALL["lime"], occlusion

    @jax.jit
    def every(scale):
        f = lambda x: linear(x) * scale
        fit = jx.surrogate(f, num_samples=16)(x, baseline=0.0, key=KEY)
        values = [make(f)(x) / scale for make in makes]
        return values, fit.standard_error / scale, fit.r2

    expected = every(jnp.float32(1.0))
    for scale in (1e-12, 1e12):
        assert_close(every(jnp.float32(scale)), expected)


def test_without_64_bits_numpy_inputs_give_float32_and_no_warning():
    program = """
        import warnings
        warnings.simplefilter("error")
        import jax, numpy as np, jaxplain as jx
        x, key = np.array([1.0, 2.0]), jax.random.key(0)
        f = lambda x: (x**2).sum()
        refs = dict(baseline=np.zeros(2))
        every = lambda x: [
            jx.saliency(f)(x),
            jx.input_x_gradient(f)(x),
            jx.integrated_gradients(f, steps=3, chunk_size=2)(x, **refs),
            jx.occlusion(f)(x, **refs),
            jx.kernel_shap(f)(x, key=key, **refs),
            jx.lime(f, num_samples=8, chunk_size=3)(x, key=key, **refs),
            jx.smooth(jx.saliency(f), std=np.float64(0.1))(x, key=key),
            jx.expected(jx.integrated_gradients(f))(x, baseline=np.zeros((3, 2))),
            jx.metrics.completeness_gap(f)(x, attribution=x, **refs),
            jx.metrics.deletion(f)(x, attribution=x, **refs).area,
            jx.game(f, x, groups=np.array([0, 1]), **refs)(np.ones(2)),
            jx.grad_cam(lambda x: f(jx.tap(x[None], "x")), at="x")(x),
            jx.saliency(jx.rules.guided(f))(x),
        ]
        found = jax.eval_shape(every, x) + jax.jit(every)(x)
        assert {leaf.dtype.name for leaf in found} == {"float32"}, found
        assert np.allclose(found[-11], [1, 4]) and np.allclose(found[-9], [1, 4])
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True)
