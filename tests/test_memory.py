"""Peak memory follows the chunk, not the number of samples.

Read off the compiled programs, so that nothing is run and nothing is noisy.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxplain as jx

F32 = jnp.float32
FEW, MANY, CHUNK = 64, 1024, 8
REFS = {"baseline": 0.0}
KEY = jax.random.key(0, impl="rbg")  # which compiles faster

IMAGE, SERIES = jnp.ones((12, 12, 3), F32), jnp.ones((16, 4), F32)
KERNELS = [jnp.full((3, 3, 3, 8), 0.1, F32), jnp.full((3, 3, 8, 8), 0.1, F32)]
W_IN, W_STATE = jnp.full((32, 4), 0.1, F32), jnp.full((32, 8), 0.1, F32)


def cnn(x):
    for kernel in KERNELS:
        x = jax.lax.conv_general_dilated(
            x[None], kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        x = jx.tap(jax.nn.relu(x[0]), "relu")
    return x.sum()


def lstm(x):
    def step(carry, x):
        h, c = carry
        i, f, g, o = jnp.split(W_IN @ x + W_STATE @ h, 4)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

    zero = jnp.zeros(8, F32)
    return jax.lax.scan(step, (zero, zero), x)[0][0].sum()


def rows(x):
    """Twelve groups, one per row; the rest of a series belongs to the last one."""
    labels = np.minimum(np.arange(x.shape[0]), 11)
    return labels.reshape(-1, *(1,) * (x.ndim - 1))


def ig(f, num, chunk_size):
    # A rule whose nodes take no time to find.
    options = {"rule": "riemann_middle", "chunk_size": chunk_size}
    explain = jx.integrated_gradients(f, steps=num, **options)
    return lambda x: explain(x, **REFS)


def layer_ig(f, num, chunk_size):
    def explain(x):
        value, head = jx.cut(f, x, at="relu@0")
        return ig(head, num, chunk_size)(value)

    return explain


def smooth(f, num, chunk_size):
    gradient = jx.saliency(f)
    explain = jx.smooth(gradient, std=0.1, num_samples=num, chunk_size=chunk_size)
    return lambda x: explain(x, key=KEY)


def expected(f, num, chunk_size):
    explain = jx.expected(jx.integrated_gradients(f, steps=1), chunk_size=chunk_size)
    return lambda x: explain(x, baseline=jnp.linspace(0, 1, num, dtype=F32))


def monte_carlo(f, num, chunk_size):
    def rise(x, *, key):
        mask = jax.random.bernoulli(key, 0.5, x.shape).astype(F32)
        return mask * f(mask * x)

    explain = jx.monte_carlo(rise, num_samples=num, chunk_size=chunk_size)
    return lambda x: explain(x, key=KEY)


def lime(f, num, chunk_size):
    explain = jx.lime(f, num_samples=num, num_groups=12, chunk_size=chunk_size)
    return lambda x: explain(x, groups=rows(x), key=KEY, **REFS)


def kernel_shap(f, num, chunk_size):
    explain = jx.kernel_shap(f, num_samples=num, num_groups=12, chunk_size=chunk_size)
    return lambda x: explain(x, groups=rows(x), key=KEY, **REFS)


def occlusion(f, num, chunk_size):
    explain = jx.occlusion(f, num_groups=num, chunk_size=chunk_size)
    return lambda x: explain(x, groups=rows(x), **REFS)


def deletion(f, num, chunk_size):
    measure = jx.metrics.deletion(f, steps=num, chunk_size=chunk_size)
    return lambda x: measure(x, attribution=x, **REFS)


def temporary_bytes(explain, x):
    compiled = jax.jit(explain).lower(x).compile()
    return compiled.memory_analysis().temp_size_in_bytes


EVERY = [ig, smooth, expected, monte_carlo, lime, kernel_shap, occlusion, deletion]
CASES = [(make, cnn, IMAGE) for make in (*EVERY, layer_ig)]
CASES += [
    pytest.param(make, lstm, SERIES, marks=pytest.mark.slow)
    for make in (ig, lime, occlusion)
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "f", "x"), CASES, ids=lambda v: getattr(v, "__name__", "")
)
def test_memory_follows_the_chunk_and_not_the_number_of_samples(make, f, x):
    few, many = (temporary_bytes(make(f, num, CHUNK), x) for num in (FEW, MANY))
    # What is stored for each sample is its value: four bytes, perhaps twice. One
    # evaluation of `f` takes a thousand times that.
    assert many - few <= 8 * (MANY - FEW)


@pytest.mark.slow
@pytest.mark.parametrize("make", [ig, expected, occlusion, deletion])
def test_memory_grows_with_the_chunk(make):
    sizes = [temporary_bytes(make(cnn, FEW, chunk), IMAGE) for chunk in (2, 8, None)]
    assert sizes[1] > 2 * sizes[0]
    assert sizes[2] > 3 * sizes[1]
