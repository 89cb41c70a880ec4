"""Sobol indices, from the values of `f` at inputs that mix two random ones."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from . import _regression
from ._types import Scalar


def indices(
    values: Float[Array, "n d_and_2"], num_replicates: int | None = None
) -> tuple[Array, ...]:
    """Total and first-order indices, their standard errors, and the variance.

    A row holds the values at A, at A with one feature of B for each feature, and at B.
    Rows are independent; or, with `num_replicates`, only blocks of rows of equal size.
    """
    unit, values = _centred(values, jnp.array([0, -1]))
    a, mixed, b = values[:, :1], values[:, 1:-1], values[:, -1:]
    a, b = (jnp.broadcast_to(column, mixed.shape) for column in (a, b))
    square = _square(a, b)
    total, total_error = _share((a - mixed) ** 2 / 2, square, num_replicates)
    first, first_error = _share(b * (mixed - a), square, num_replicates)
    variance = unit * square.mean(0)[0] * unit
    return total, first, total_error, first_error, variance


def interactions(
    values: Float[Array, "n 2 d_and_1"], num_replicates: int | None = None
) -> tuple[Float[Array, "d d"], Float[Array, "d d"]]:
    """Second-order indices and their standard errors; nothing on the diagonal.

    A row holds the values at A and at A with one feature of B for each feature, and
    beside them the same with A and B exchanged.
    """
    n, _, d = values.shape
    ends = jnp.array([0, d])
    _, flat = _centred(values.reshape(n, 2 * d), ends)
    a, b = flat[:, :d], flat[:, d:]
    # Feature i moves A and feature j moves B: nothing that either does alone stays in
    # the mean of the product.
    products = (a[:, 1:] - a[:, :1])[:, :, None] * (b[:, 1:] - b[:, :1])[:, None]
    products = ((products + products.swapaxes(1, 2)) / 2).reshape(n, -1)
    first, second = (jnp.broadcast_to(v[:, :1], products.shape) for v in (a, b))
    shares = _share(products, _square(first, second), num_replicates)
    off = ~jnp.eye(d - 1, dtype=bool)
    index, error = (jnp.where(off, s.reshape(d - 1, d - 1), 0) for s in shares)
    return index, error


def _centred(values: Float[Array, "n m"], ends: Array) -> tuple[Scalar, Array]:
    """A unit, and in it the values less the mean of two columns; 0 of a constant."""
    # Every index has the variance of all below it: one bad value spoils them all.
    values = jnp.where(jnp.isfinite(values).all(), values, jnp.nan)
    unit, values = _regression.in_own_unit(values)
    mean = values[:, ends].mean()
    # Of a constant only rounding is left, which is not for features to share.
    return unit, jnp.where(_regression.constant(values), 0, values - mean)


def _square(a: Array, b: Array) -> Array:
    """What every row says of the variance."""
    n = len(a)
    return (a**2 + b**2) / 2 * (2 * n / (2 * n - 1))


def _share(
    parts: Array, square: Array, num_replicates: int | None
) -> tuple[Array, Array]:
    """The mean of the parts as a share of the variance, and its standard error."""
    variance = square.mean(0)[0]
    # A constant has no variance to share out, and nobody has a share of it.
    scale = jnp.where(variance > 0, variance, 1)
    index = parts.mean(0) / scale
    # The error of a ratio, to first order.
    residual = parts - jnp.broadcast_to(index[None], parts.shape) * square
    if num_replicates is not None:
        residual = residual.reshape(num_replicates, -1, residual.shape[1]).mean(1)
    spread = residual.var(0, ddof=1) / len(residual)
    return index, _regression.root(spread) / scale
