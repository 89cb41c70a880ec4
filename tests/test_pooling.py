"""The gradient of max pooling is that of JAX, wherever it is compiled."""

import functools

import hypothesis.strategies as st
import jax
import jax.export
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close
from hypothesis import given, settings

import jaxplain as jx
from jaxplain import _pooling

SLOW = "select_and_scatter"
IMAGE = jnp.asarray(np.sin(np.arange(64.0))).reshape(8, 8, 1)
KERNEL = jnp.asarray(np.cos(np.arange(18.0))).reshape(3, 3, 1, 2)


def pool(x, window, strides, padding="VALID", **options):
    return jax.lax.reduce_window(
        x, -jnp.inf, jax.lax.max, window, strides, padding, **options
    )


def network(x, kernel=KERNEL):
    """A convolution, overlapping windows, windows that do not overlap."""
    x = jax.lax.conv_general_dilated(
        x[None], kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    x = pool(x, (1, 3, 3, 1), (1, 2, 2, 1), "SAME")
    x = pool(jnp.sin(x), (1, 2, 2, 1), (1, 2, 2, 1))
    return jnp.sum(jnp.cos(x))


@st.composite
def poolings(draw):
    """A window, strides, padding, and an operand with ties and what is not finite."""
    rank, sizes = draw(st.integers(1, 3)), st.integers(1, 3)
    several = lambda each: tuple(draw(each) for _ in range(rank))
    window, strides = several(sizes), several(sizes)
    padding = several(st.tuples(st.integers(0, 3), st.integers(0, 3)))
    shape = tuple(w + draw(st.integers(0, 4)) for w in window)
    values = draw(st.sampled_from([[-1, 0, 1], [0, -np.inf], [0, 1, np.nan, -np.inf]]))
    seed = draw(st.integers(0, 1000))
    operand = np.random.default_rng(seed).choice(values, shape)
    return window, strides, padding, operand


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(poolings(), st.sampled_from(["float32", "float64", "bfloat16"]), st.booleans())
def test_the_gradient_of_pooling_is_that_of_jax_to_the_last_bit(case, dtype, largest):
    window, strides, padding, operand = case
    operand = jnp.asarray(operand if largest else -operand, dtype)
    reduce = jax.lax.max if largest else jax.lax.min
    initial = np.asarray(-np.inf if largest else np.inf, jnp.dtype(dtype))[()]
    pooled = lambda x: jax.lax.reduce_window(
        x, initial, reduce, window, strides, padding
    )
    # Sums of these are rounded, except in bfloat16, whose sums XLA may keep wider.
    seeds = np.arange(1, 1 + jax.eval_shape(pooled, operand).size)
    seeds = jnp.asarray(seeds % 7 if dtype == "bfloat16" else 1 / seeds, dtype)
    f = lambda x: jnp.vdot(pooled(x), seeds.reshape(pooled(x).shape))
    every = jax.jit(lambda x: (jax.grad(f)(x), _pooling.gradient(f)(x)))
    np.testing.assert_array_equal(*map(np.asarray, every(operand)))


EXPLAINERS = {
    "saliency": jx.saliency(network),
    "input_x_gradient": jx.input_x_gradient(network),
    "at_once": functools.partial(
        jx.integrated_gradients(network, steps=4), baseline=0.0
    ),
    "in_chunks": functools.partial(
        jx.integrated_gradients(network, steps=4, chunk_size=2), baseline=0.0
    ),
    "twice_in_chunks": functools.partial(
        jx.expected(
            jx.integrated_gradients(network, steps=4, chunk_size=2), chunk_size=1
        ),
        baseline=jnp.zeros((2, 1, 1, 1)),
    ),
}
EACH = pytest.mark.parametrize("explain", EXPLAINERS.values(), ids=EXPLAINERS.keys())


def exported(explain, *platforms):
    return jax.export.export(jax.jit(explain), platforms=platforms)(IMAGE)


@EACH
def test_only_a_program_for_cpu_is_rewritten(explain):
    assert SLOW not in exported(explain, "cpu").mlir_module()
    assert SLOW in exported(explain, "cuda").mlir_module()
    assert SLOW in exported(explain, "tpu").mlir_module()


def test_a_program_for_several_platforms_runs_here():
    explain = EXPLAINERS["in_chunks"]
    assert_close(exported(explain, "cpu", "cuda").call(IMAGE), explain(IMAGE))


def test_under_jit_vmap_and_eagerly_it_is_the_plain_gradient():
    images = jnp.stack([IMAGE, -IMAGE, IMAGE[::-1]])
    plain = jax.vmap(jax.grad(network))(images)
    explain = jx.saliency(network)
    assert_close(jax.vmap(explain)(images), plain)
    assert_close(jax.jit(jax.vmap(explain))(images), plain)
    assert_close(explain(images[1]), plain[1])


@pytest.mark.slow
def test_derivatives_of_the_gradient_are_those_of_jax():
    plain = lambda x, k: jnp.vdot(x, jax.grad(network)(x, k))
    ours = lambda x, k: jnp.vdot(x, jx.saliency(network)(x, k))
    assert_close(
        jax.jit(jax.grad(ours, (0, 1)))(IMAGE, KERNEL),
        jax.jit(jax.grad(plain, (0, 1)))(IMAGE, KERNEL),
    )
    tangents = (jnp.cos(IMAGE), jnp.sin(KERNEL))
    push = lambda f: jax.jit(lambda *v: jax.jvp(f, v, tangents)[1])
    assert_close(push(ours)(IMAGE, KERNEL), push(plain)(IMAGE, KERNEL))


def test_under_shard_map_it_is_the_plain_gradient():
    mesh = jax.make_mesh((2,), ("batch",), axis_types=(jax.sharding.AxisType.Auto,))
    spec = jax.sharding.PartitionSpec("batch")
    images = jnp.stack([IMAGE, -IMAGE])
    mapped = jax.shard_map(
        jax.vmap(jx.saliency(network)), mesh=mesh, in_specs=spec, out_specs=spec
    )
    assert_close(jax.jit(mapped)(images), jax.vmap(jax.grad(network))(images))


def test_called_eagerly_a_function_may_branch_on_its_values():
    f = lambda x: jnp.sum(x) if x[0] > 0 else -jnp.sum(x)
    assert jx.saliency(f)(jnp.array([-1.0]))[0] == -1


def test_the_largest_windows_are_left_alone():
    side = int(_pooling.LARGEST_WINDOW**0.5) + 1
    x = jnp.zeros((2 * side, 2 * side))
    for size, kept in ((side, True), (side - 1, False)):
        f = lambda x, s=size: jnp.sum(pool(x, (s, s), (s, s)))
        assert (SLOW in jax.jit(jx.saliency(f)).lower(x).as_text()) == kept


def test_dilated_pooling_has_the_gradient_of_jax():
    x = IMAGE[..., 0]
    f = lambda x: jnp.vdot(y := pool(x, (2, 2), (1, 1), base_dilation=(2, 1)), y)
    every = jax.jit(lambda x: (jax.grad(f)(x), jx.saliency(f)(x)))
    assert_close(*every(x))


def test_a_checkpointed_block_with_pooling_still_saves_memory():
    block = lambda x: jnp.sin(jnp.sin(pool(x, (3, 3), (1, 1), "SAME")))

    def temporary_bytes(gradient, wrap):
        def f(x):
            for _ in range(12):
                x = wrap(block)(x)
            return jnp.sum(x)

        compiled = jax.jit(gradient(f)).lower(jnp.zeros((64, 64))).compile()
        return compiled.memory_analysis().temp_size_in_bytes

    ours = temporary_bytes(jx.saliency, jax.checkpoint)
    assert ours < 1.1 * temporary_bytes(jax.grad, jax.checkpoint)
