"""Which equations are calls whose program may be opened, and which are not."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close

import jaxplain as jx
from jaxplain import _jaxpr

X = np.array([-2.0, -1.0, 3.0, 4.0])
KERNEL = jnp.asarray([1.0, 2.0, -1.0]).reshape(3, 1, 1)


def conv(x):
    x = jax.lax.conv_general_dilated(
        x[None, :, None], KERNEL, (1,), "SAME", dimension_numbers=("NHC", "HIO", "NHC")
    )
    return x[0, :, 0]


def sharded(fn):
    """`fn` of each half of an array, on a device of its own."""
    explicit = (jax.sharding.AxisType.Auto,)
    mesh = jax.make_mesh((2,), ("batch",), axis_types=explicit)
    spec = jax.P("batch")
    return jax.shard_map(fn, mesh=mesh, in_specs=spec, out_specs=spec)


def opened(f, *args):
    (eqn,) = jax.make_jaxpr(f)(*args).jaxpr.eqns
    return _jaxpr.call_body(eqn) is not None


@jax.custom_jvp
def custom_jvp(x):
    return jnp.sin(x)


custom_jvp.defjvp(lambda x, t: (custom_jvp(*x), t[0]))


@pytest.mark.parametrize(
    "call",
    [
        lambda x: jax.jit(jnp.sin)(x),
        lambda x: jax.checkpoint(jnp.sin)(x),
        lambda x: jax.jit(jnp.cumsum)(x),
        custom_jvp,
    ],
    ids=["jit", "checkpoint", "jit_of_cumsum", "custom_jvp"],
)
def test_a_call_runs_its_program_once(call):
    assert opened(call, X)


@pytest.mark.parametrize(
    "loop",
    [
        lambda x: jax.lax.map(jnp.sin, x),
        lambda x: jax.lax.while_loop(lambda c: c.sum() < 0, jnp.sin, x),
        lambda x: jax.lax.switch(jnp.int32(1), [jnp.sin, jnp.cos], x),
        jnp.sin,
    ],
    ids=["scan", "while", "switch", "sin"],
)
def test_a_loop_is_no_call(loop):
    eqn = jax.make_jaxpr(loop)(X).jaxpr.eqns[-1]
    assert _jaxpr.call_body(eqn) is None


def test_a_reduction_by_a_function_of_ones_own_is_no_call():
    combine = lambda a, b: jax.lax.max(a + b, 0.0)
    f = lambda x: jax.lax.reduce(x, np.float64(0.0), combine, (0,))
    assert not opened(f, X)
    assert_close(jx.rules.guided(f)(X), f(X))


def test_a_program_for_one_device_is_no_call():
    assert not opened(sharded(jnp.sin), X)


def test_a_convolution_on_several_devices_is_explained_in_chunks():
    f = lambda x: jnp.sum(sharded(conv)(x) ** 2)
    ig = lambda chunk_size: jx.integrated_gradients(f, steps=4, chunk_size=chunk_size)
    expected = ig(None)(X, baseline=0.0)
    assert_close(ig(2)(X, baseline=0.0), expected)


def test_a_layer_before_a_program_on_several_devices_is_cut():
    f = lambda x: jnp.sum(sharded(conv)(jx.tap(x**3, "cube")) ** 2)
    value, head = jx.cut(f, X, at="cube")
    assert_close(head(value), f(X))
    plain = lambda cube: jnp.sum(sharded(conv)(cube) ** 2)
    assert_close(jax.grad(head)(value), jax.grad(plain)(value))


def test_effects_happen_once():
    printed = []
    show = lambda x: printed.append(float(x))

    def f(x):
        jax.debug.callback(show, x.sum())
        x = jx.tap(2 * x, "double")
        jax.debug.callback(show, x.sum())
        return x.sum()

    value, head = jx.cut(f, X, at="double")
    jax.effects_barrier()
    assert printed == [4.0]
    head(value)
    jax.effects_barrier()
    assert printed == [4.0, 8.0]


def test_random_keys_and_callbacks_ride_through_a_cut():
    double = lambda x: 2 * np.asarray(x)

    def f(x, key):
        x = jx.tap(x * jax.random.normal(key, x.shape), "noisy")
        x = jax.pure_callback(double, jax.ShapeDtypeStruct(x.shape, x.dtype), x)
        return jnp.sum(x * jax.random.normal(key, x.shape))

    key = jax.random.key(0)
    value, head = jx.cut(f, X, key, at="noisy")
    assert_close(head(value), f(X, key))
