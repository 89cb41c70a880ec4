"""Pixels that are absent, filled smoothly from those that are present."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .. import _checks, _tree
from . import _valid

DAMPING = 0.8  # without it the finest checkerboard would not fade


def inpaint(
    image: Float[ArrayLike, "*space channels"], present: ArrayLike, *, sweeps: int = 8
) -> Float[Array, "*space channels"]:
    r"""Fill what is absent from what is present around it, as smoothly as it can be.

    $$u = m \odot x + (1 - m) \odot A u$$

    where $m$ says what is present and $A$ is the mean over the nearest neighbours: two
    along each axis, with the border repeated. Present pixels stay as they are, and each
    absent one is the mean of its neighbours: the discrete Laplace equation. On a series
    that is the straight line between the present steps. Fractions lie between: `m = t`
    everywhere is a blur that widens as `t` falls, towards the mean of the image, which
    is therefore what `m = 0` everywhere gives.

    Solved from coarse to fine: a pyramid of means over present pixels is the first
    guess, and every level is relaxed in a fixed number of sweeps. So it is a fixed
    program, and an approximation; but every pixel lies within the range of the present
    ones whatever the number of sweeps, and a constant stays one. Where $m$ is 0 the
    image does not count, even if it is NaN.

    Args:
        image: One array, channels last, such as `(height, width, channels)` or
            `(time, channels)`.
        present: How much of each pixel is there, from 0 to 1: the shape of the image
            without its channels. It may be traced and differentiated.
        sweeps: Relaxations of each level. More are closer to the solution.

    Returns:
        The filled image, in the dtype of `image`. Costs about `4 / 3 * sweeps` passes
        over an image, and twice that over a series.

    Raises:
        ValueError: If `present` has another shape, the image is empty or has no axis
            beside its channels, or `sweeps` is below 1.
        TypeError: If the image holds integers.

    Example:
        >>> series = jnp.array([[0.0], [9.0], [9.0], [3.0]])
        >>> inpaint(series, jnp.array([1, 0, 0, 1]), sweeps=50).ravel()
        Array([0., 1., 2., 3.], dtype=float32)

    References:
        Chan and Shen (2002), *Mathematical Models for Local Nontexture Inpaintings*,
        for the harmonic fill.
        Gortler, Grzeszczuk, Szeliski and Cohen (1996), *The Lumigraph*, for the pyramid
        of present pixels.
        Bornemann and Deuflhard (1996), *The Cascadic Multigrid Method for Elliptic
        Problems*, for relaxing from coarse to fine.
    """
    pixels = _valid.image(image)
    _checks.count("sweeps", sweeps)
    wide = pixels.astype(_tree.accumulator(pixels.dtype))
    m = _valid.present(present, pixels).astype(wide.dtype)[..., None]
    mean = wide.mean(tuple(range(wide.ndim - 1)), keepdims=True)
    levels = [(jnp.where(m > 0, wide, 0), m)]  # what is absent may be NaN
    while max(m.shape) > 1:
        levels.append(_halve(*levels[-1]))
        m = levels[-1][1]
    u = jnp.where(m > 0, levels[-1][0], mean)
    for x, m in reversed(levels[:-1]):
        u = _relax(_double(u, x.shape), x, m, sweeps)
    return u.astype(pixels.dtype)


def _halve(x: Array, m: Array) -> tuple[Array, Array]:
    """The means of present pixels two by two, and how much is present of any."""
    odd = [(0, length % 2) for length in m.shape[:-1]] + [(0, 0)]
    weighted, weight = jnp.pad(m * x, odd), jnp.pad(m, odd)
    absent = 1 - weight
    for axis in range(x.ndim - 1):
        weighted = _even(weighted, axis) + _odd(weighted, axis)
        weight = _even(weight, axis) + _odd(weight, axis)
        absent = _even(absent, axis) * _odd(absent, axis)
    return weighted / jnp.where(weight > 0, weight, 1), 1 - absent


def _even(a: Array, axis: int) -> Array:
    return jax.lax.slice_in_dim(a, 0, None, 2, axis)


def _odd(a: Array, axis: int) -> Array:
    return jax.lax.slice_in_dim(a, 1, None, 2, axis)


def _double(u: Array, shape: tuple[int, ...]) -> Array:
    """Stretched linearly by two along every axis but the last, and cut to `shape`."""
    for axis in range(u.ndim - 1):
        before, after = _beside(u, axis)
        both = jnp.stack([0.75 * u + 0.25 * before, 0.75 * u + 0.25 * after], axis + 1)
        doubled = both.reshape(*u.shape[:axis], -1, *u.shape[axis + 1 :])
        u = jax.lax.slice_in_dim(doubled, 0, shape[axis], axis=axis)
    return u


def _beside(u: Array, axis: int) -> tuple[Array, Array]:
    """The neighbours along an axis, with the border repeated."""
    part = lambda start, stop: jax.lax.slice_in_dim(u, start, stop, axis=axis)
    last = u.shape[axis] - 1
    before = jnp.concatenate([part(0, 1), part(0, last)], axis)
    after = jnp.concatenate([part(1, last + 1), part(last, last + 1)], axis)
    return before, after


def _relax(u: Array, x: Array, m: Array, sweeps: int) -> Array:
    axes = range(u.ndim - 1)

    def settled(u: Array) -> Array:
        neighbours = [a for axis in axes for a in _beside(u, axis)]
        return m * x + (1 - m) * sum(neighbours[1:], neighbours[0]) / len(neighbours)

    def sweep(_: int, u: Array) -> Array:
        return u + DAMPING * (settled(u) - u)

    # The last one undamped, so that present pixels are exactly what they were.
    return settled(jax.lax.fori_loop(0, sweeps - 1, sweep, u))
