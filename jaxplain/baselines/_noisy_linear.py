"""Pixels that are absent, each the weighted mean of its neighbours, and noise."""

import jax
import jax.numpy as jnp
import jax.random as jr
from jax.scipy.sparse.linalg import cg
from jaxtyping import Array, ArrayLike, Float

from .. import _checks, _tree
from .._types import PRNGKey
from . import _valid


def noisy_linear(
    key: PRNGKey,
    image: Float[ArrayLike, "*space channels"],
    present: ArrayLike,
    *,
    std: float = 0.01,
) -> Float[Array, "*space channels"]:
    r"""Fill what is absent with the mean of its neighbours, and a little noise.

    $$u_p = \sum_{q \sim p} w_{pq}\, u_q + \sigma \epsilon_p, \qquad
    w_{pq} = \tfrac16 \text{ beside}, \ \tfrac1{12} \text{ across a corner}$$

    The equations of all absent pixels are solved together, before the noise is added.
    At the border, the weights of the neighbours that there are share what is missing.
    Present pixels stay as they are. Without noise a plane is filled exactly in the
    inside, and a constant everywhere.

    Made to take pixels away without a trace. A constant leaves the outline of what was
    taken, and a model can read the class from that. `inpaint` weighs the four nearest
    neighbours, takes fractions, and can be differentiated in `present`; it is not
    noisy, and so its fill can be told from an image by how smooth it is.

    Args:
        key: Random key.
        image: One array, channels last, such as `(height, width, channels)`. Along a
            series, the weights are halves: the straight line between present steps.
        present: Which pixels are there: anything but 0 is. The shape of the image
            without its channels; it may be traced. With none of them, the fill is the
            mean of the image.
        std: Standard deviation of the noise, in the units of the image.

    Returns:
        The filled image, in the dtype of `image`. Where it is absent the image does not
        count, even if it is NaN. Each channel is filled in units of its own, so they
        may have any scale. Solved by conjugate gradients up to rounding; the number of
        passes over the image grows with the width of the widest hole.

    Raises:
        ValueError: If `present` has another shape, `std` is negative, or the image is
            empty or has no axis beside its channels.
        TypeError: If the image holds integers, or `key` is no key.

    Example:
        >>> series = jnp.array([[0.0], [9.0], [9.0], [3.0]])
        >>> present = jnp.array([True, False, False, True])
        >>> noisy_linear(jax.random.key(0), series, present, std=0.0).ravel()
        Array([0., 1., 2., 3.], dtype=float32)

    References:
        Rong, Leemann, Borisov, Kasneci and Kasneci (2022), *A Consistent and Efficient
        Evaluation Strategy for Attribution Methods*, arXiv:2202.00449.
    """
    _checks.key(key, "noisy_linear")
    _checks.positive("std", std, zero=True)
    pixels = _valid.image(image)
    wide = pixels.astype(_tree.accumulator(pixels.dtype))
    there = _valid.present(present, pixels)[..., None] != 0
    seen = jnp.where(there, wide, 0)
    absent = (~there).astype(wide.dtype)
    share = _around(jnp.ones_like(absent))

    def equations(u: Array) -> Array:
        return absent * (share * u - _around(u))

    space = tuple(range(wide.ndim - 1))
    number = there.sum(space, keepdims=True)
    mean = jnp.where(
        number > 0,
        seen.sum(space, keepdims=True) / jnp.maximum(number, 1).astype(wide.dtype),
        wide.mean(space, keepdims=True),
    )
    # The mean solves the equations, so what is left of it does too; each channel in its
    # own units, since all of them share one tolerance.
    left = jnp.where(there, wide - mean, 0)
    unit = jax.lax.stop_gradient(jnp.abs(left).max(space, keepdims=True))
    unit = jnp.where(unit == 0, 1, unit)
    left = jnp.where(jnp.isfinite(unit), left / unit, 0)
    tolerance = float(jnp.finfo(wide.dtype).eps) ** 0.75
    filled, _ = cg(
        equations,
        absent * _around(left),
        tol=tolerance,
        atol=tolerance * jnp.linalg.norm(left),
    )
    noise = std * jr.normal(key, wide.shape, wide.dtype)
    fill = mean + unit * filled + noise
    return jnp.where(there, wide, fill).astype(pixels.dtype)


def _around(u: Array) -> Array:
    """The weighted sum over the neighbours that there are; weights of all sum to one.

    The weights are those of `[1, 2, 1]` along every axis but the last, without the
    centre.
    """
    rank = u.ndim - 1
    total = u
    for axis in range(rank):
        sides = [(0, 0)] * u.ndim
        sides[axis] = (1, 1)
        padded = jnp.pad(total, sides)
        part = lambda start, axis=axis, padded=padded: padded[
            (slice(None),) * axis + (slice(start, start + u.shape[axis]),)
        ]
        total = part(0) + 2 * part(1) + part(2)
    return (total - 2**rank * u) / (4**rank - 2**rank)
