"""Integrated gradients on a line that starts behind the affine beginning of `f`."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close

import jaxplain as jx
from jaxplain import _lines

wave = lambda *shape: jnp.asarray(np.sin(1 + np.arange(np.prod(shape)))).reshape(shape)
X, MATRIX, SQUARE = wave(6), wave(6, 4), wave(6, 6)
IMAGE, KERNEL = wave(5, 5, 2), wave(3, 3, 2, 3)


def convolve(x, kernel):
    return jax.lax.conv_general_dilated(
        x[None], kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )[0]


def bend(z):
    return jnp.sum(jnp.tanh(z) + z * z)


MOVED = {
    "product": (lambda x: bend(x @ MATRIX), X),
    "convolution": (lambda x: bend(convolve(x, KERNEL) + 1.0), IMAGE),
    "normalised": (lambda x: bend(convolve((x - 0.5) / 0.3, KERNEL)), IMAGE),
    "two_products": (lambda x: bend(jnp.flip(x @ SQUARE) @ MATRIX), X),
    "called": (lambda x: bend(jax.jit(lambda x: jnp.pad(x @ MATRIX, 2))(x)), X),
    "residual": (lambda x: bend(jnp.sin(x) + x @ SQUARE), X),
    "input_read_later": (lambda x: bend(x @ MATRIX) * jnp.cos(x[0]), X),
    "tree": (lambda x: bend(x["a"] @ MATRIX - x["b"][:4]), {"a": X, "b": 2 * X}),
    "nothing_else": (lambda x: 3 * (X @ x), X),
}
KEPT = {
    "no_product": (lambda x: bend(2 * x + 1), X),
    "square": (lambda x: x @ x, X),
    "quadratic_form": (lambda x: jnp.sum((x * x) @ MATRIX), X),
    "quotient": (lambda x: jnp.sum((1 / x) @ MATRIX), X),
    "called": (lambda x: bend(jax.jit(lambda x: jnp.sin(x) @ MATRIX)(x)), X),
    "half_precision": (
        lambda x: bend(x.astype(jnp.bfloat16) @ MATRIX.astype(jnp.bfloat16)).astype(
            jnp.float32
        ),
        X.astype(jnp.float32),
    ),
    "constant": (lambda x: bend(MATRIX), X),
}


def average(f, x, baseline, steps):
    """The definition: the mean gradient of `f` on the line, times the difference."""
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    point = lambda t: jax.tree.map(lambda a, b: b + t * (a - b), x, baseline)
    gradients = [jax.grad(f)(point((t + 1) / 2)) for t in nodes]
    mean = lambda *each: sum(w / 2 * g for w, g in zip(weights, each, strict=True))
    total = jax.tree.map(mean, *gradients)
    return jax.tree.map(lambda s, a, b: s * (a - b), total, x, baseline)


@pytest.mark.slow
@pytest.mark.parametrize(("f", "x"), MOVED.values(), ids=MOVED.keys())
@pytest.mark.parametrize("chunk_size", [None, 2])
def test_integrated_gradients_are_the_average_of_gradients(f, x, chunk_size):
    baseline = jax.tree.map(lambda leaf: 0.3 * leaf[::-1], x)
    explain = jx.integrated_gradients(f, steps=5, chunk_size=chunk_size)
    assert_close(
        jax.jit(explain)(x, baseline=baseline),
        jax.jit(functools.partial(average, f, steps=5))(x, baseline=baseline),
    )


def is_moved(f, x, *, inside=True):
    _, line, _ = _lines.straighten(f, x, x, inside=inside)
    shapes = lambda tree: [leaf.shape for leaf in jax.tree.leaves(tree)]
    return shapes(line(jnp.asarray(0.5))) != shapes(x)


@pytest.mark.parametrize(("f", "x"), MOVED.values(), ids=MOVED.keys())
def test_a_line_moves_behind_an_affine_beginning_with_a_product(f, x):
    assert is_moved(f, x)
    assert not is_moved(f, x, inside=False)


@pytest.mark.parametrize(("f", "x"), KEPT.values(), ids=KEPT.keys())
def test_a_line_stays_at_the_input_otherwise(f, x):
    assert not is_moved(f, x)


def test_the_first_convolution_is_not_in_the_loop():
    f = lambda x: bend(convolve(x, KERNEL))
    explain = jx.integrated_gradients(f, steps=8, chunk_size=2)
    closed = jax.make_jaxpr(functools.partial(explain, baseline=0.0))(IMAGE)
    (loop,) = [eqn for eqn in closed.eqns if eqn.primitive.name == "scan"]
    assert "conv_general_dilated" in str(closed)
    assert "conv_general_dilated" not in str(loop)


@pytest.mark.parametrize("side", ["left", "right"])
def test_at_an_end_of_the_line_the_other_end_does_not_count_even_if_it_is_nan(side):
    f = lambda x: bend(x @ MATRIX)
    assert is_moved(f, X)
    explain = jx.integrated_gradients(f, steps=1, rule=f"riemann_{side}")
    x, baseline = X, jnp.zeros_like(X).at[0].set(jnp.nan)
    phi = (
        explain(baseline, baseline=x)
        if side == "left"
        else explain(x, baseline=baseline)
    )
    assert jnp.isfinite(phi[1:]).all()


def test_it_is_differentiable_in_the_input_the_baseline_and_the_weights():
    def ours(x, baseline, kernel):
        f = lambda x, kernel: bend(convolve(x, kernel))
        explain = jx.integrated_gradients(f, steps=3)
        return jnp.sum(jnp.sin(explain(x, kernel, baseline=baseline)))

    def plain(x, baseline, kernel):
        f = lambda x: bend(convolve(x, kernel))
        return jnp.sum(jnp.sin(average(f, x, baseline, steps=3)))

    at = (IMAGE, IMAGE[::-1], KERNEL)
    gradient = lambda f: jax.jit(jax.grad(f, (0, 1, 2)))(*at)
    assert_close(gradient(ours), gradient(plain))
