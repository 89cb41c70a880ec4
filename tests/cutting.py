"""What every layer of every framework owes its users."""

import jax
import jax.numpy as jnp
from helpers import assert_close

import jaxplain as jx


def check(f, x, at, **options):
    """`cut` gives back `f`, and a gradient that is not zero."""
    value, head = jx.cut(f, x, at=at, **options)
    score = lambda value: sum(jnp.sum(leaf) for leaf in jax.tree.leaves(head(value)))
    assert_close(head(value), f(x))
    gradients = jax.tree.leaves(jax.grad(score)(value))
    assert any(g.any() for g in gradients)
    return value


def names(f, x):
    return list(jx.taps(f, x))
