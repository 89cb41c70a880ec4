"""What every layer of every framework owes its users."""

import jax
import jax.numpy as jnp
from explainers import quick_jit
from helpers import assert_close

import jaxplain as jx


def check(f, x, at, **options):
    """`cut` gives back `f`, and a gradient that is not zero."""

    def run(x):
        value, head = jx.cut(f, x, at=at, **options)
        score = lambda value: sum(map(jnp.sum, jax.tree.leaves(head(value))))
        return value, head(value), f(x), jax.grad(score)(value)

    value, through, expected, gradient = quick_jit(run)(x)
    assert_close(through, expected)
    assert any(g.any() for g in jax.tree.leaves(gradient))
    return value


def names(f, x):
    return list(jx.taps(f, x))
