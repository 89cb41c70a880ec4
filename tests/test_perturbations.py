"""What explainers by perturbation owe JAX: chunks, batches, dtypes, one trace."""

from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close

import jaxplain as jx
from jaxplain import perturbations

KEY = jr.key(5)
SHAPE = (5, 2)
XS = jr.normal(jr.key(1), (2, *SHAPE))
KEYS = jr.split(KEY, 2)
WEIGHTS = np.cos(np.arange(10.0)).reshape(SHAPE)


def f(x, scale):
    y = x * jnp.asarray(WEIGHTS, x.dtype)
    return jnp.tanh(y.sum()) + scale * y[0, 0] * y[3, 1] + y[2].prod()


def score(xs, scale):
    return jax.vmap(f, (0, None))(xs, scale).mean()


def sliding(f, **options):
    explain = jx.occlusion(f, window=2, stride=1, **options)
    return lambda x, scale, key: explain(x, scale, baseline=0.5)


def drawn(make, f, **options):
    explain = make(f, **options)
    return lambda x, scale, key: explain(x, scale, baseline=0.5, key=key)


def exchanged(f, **options):
    score = lambda xs, scale: jax.vmap(f, (0, None))(xs, scale).mean()
    explain = perturbations.permutation_importance(score, num_samples=2, **options)
    # The rows of the batch are steps of the input, so that it is explained as others.
    batch = lambda x: jnp.stack([x, jnp.flip(x, 0), x**2])
    return lambda x, scale, key: explain(batch(x), scale, key=key)


EXPLAINERS = {
    "occlusion of windows": sliding,
    "rise": partial(drawn, partial(perturbations.rise, num_samples=7, grid=2)),
    "sobol": partial(drawn, partial(perturbations.sobol, num_designs=3)),
    "hsic": partial(drawn, partial(perturbations.hsic, num_samples=7)),
    "permutation_importance": exchanged,
}
every = pytest.mark.parametrize("make", EXPLAINERS.values(), ids=EXPLAINERS)


@every
def test_chunks_and_batches_change_nothing(make):
    @quick_jit
    def program(xs, keys):
        explain = make(f)
        chunked = make(f, chunk_size=3)
        batch = jax.vmap(chunked, (0, None, 0))(xs, 2.0, keys)
        return batch[1], explain(xs[1], 2.0, keys[1])

    mapped, alone = program(XS, KEYS)
    assert alone.shape == SHAPE
    assert np.ptp(alone) > 0
    assert_close(mapped, alone)


@every
@pytest.mark.parametrize("chunk_size", [None, 3])
def test_f_is_traced_once(make, chunk_size):
    traces = []

    def counted(x, scale):
        traces.append(x)
        return f(x, scale)

    jax.eval_shape(make(counted, chunk_size=chunk_size), XS[0], 2.0, KEY)
    assert len(traces) == 1


@every
@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
def test_an_explanation_has_the_dtype_of_the_input(make, dtype):
    out = jax.eval_shape(make(f), XS[0].astype(dtype), 2.0, KEY)
    assert (out.shape, out.dtype, out.weak_type) == (SHAPE, dtype, False)


@pytest.mark.parametrize("name", ["rise", "sobol", "hsic"])
def test_another_key_draws_other_masks(name):
    explain = EXPLAINERS[name](f)
    by_key = quick_jit(jax.vmap(lambda key: explain(XS[0], 2.0, key)))
    one, other = by_key(KEYS)
    assert np.any(one != other)


@pytest.mark.slow
def test_a_key_draws_the_same_masks_in_32_bits():
    x = np.asarray(XS[0], np.float32)
    names = ["rise", "sobol", "permutation_importance"]
    explain = lambda x: [EXPLAINERS[name](f)(x, 2.0, KEY) for name in names]
    wide = quick_jit(explain)(x)
    with jax.enable_x64(False):
        narrow = quick_jit(explain)(x)
    assert_close(narrow, wide)
