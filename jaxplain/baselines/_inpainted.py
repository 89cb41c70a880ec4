"""A function of an image, as one of which pixels are present."""

from collections.abc import Callable
from typing import Any

from jaxtyping import Array, ArrayLike

from .. import _checks
from .._types import Scalar
from ._inpaint import inpaint


def inpainted(f: Callable[..., Any], *, sweeps: int = 8) -> Callable[..., Scalar]:
    r"""`f` of the image of which only some pixels are seen, the others filled smoothly.

    $$g(m, x) = f(\text{inpaint}(x, m))$$

    A filled pixel depends on its neighbours that are present, so there is no `baseline`
    for it. Instead, `g` is explained at `present`: ones of the shape of the image
    without its channels, against `baseline=0.0`. Every explainer of a game then
    applies, with `groups` as for the image, and so does every gradient method. With
    nothing present, `f` sees the mean of the image.

    Args:
        f: Function to explain: `f(image, *args)` returns a scalar.
        sweeps: As in `inpaint`.

    Returns:
        `g(present, image, *args)`, a scalar. Costs `f` and an `inpaint`.

    Raises:
        ValueError: If `f` does not return a scalar, or as `inpaint`.
        TypeError: As `inpaint`.

    Example:
        >>> image = jnp.array([[[1.0], [1.0], [5.0]]])
        >>> g = inpainted(lambda image: image[0, 2, 0])
        >>> explain = jx.occlusion(g, num_groups=3)
        >>> labels = np.array([[0, 1, 2]])
        >>> explain(jnp.ones((1, 3)), image, baseline=0.0, groups=labels)
        Array([0., 0., 4.], dtype=float32)

    References:
        Agarwal and Nguyen (2020), *Explaining Image Classifiers by Removing Input
        Features Using Generative Models*, arXiv:1910.04256, for the idea of filling
        before `f` looks.
    """
    f = _checks.scalar(f)
    _checks.count("sweeps", sweeps)

    def g(present: ArrayLike, image: Any, /, *args: Any) -> Array:
        return f(inpaint(image, present, sweeps=sweeps), *args)

    return g
