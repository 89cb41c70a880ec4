"""Coarse features without the fine ones."""

from jaxtyping import Array, ArrayLike, Float

from ..paths import blur
from . import _valid


def blurred(
    image: Float[ArrayLike, "*space channels"], *, sigma: ArrayLike
) -> Float[Array, "*space channels"]:
    """The image out of focus: colours stay where they were, and details go.

    `paths.blur` of one array. What is absent keeps its rough colour, so a region
    that matters by its colour or its rough shape is hardly taken away: widen `sigma`.

    Args:
        image: One array, channels last, such as `(height, width, channels)` or
            `(time, channels)`.
        sigma: Standard deviation in pixels or time steps; it may be traced.

    Returns:
        The blurred image, in the dtype of `image`. Costs one product with a square
        matrix per axis.

    Raises:
        ValueError: If the image is empty or has no axis beside its channels, or `sigma`
            is not a scalar, or is negative where it is not traced.
        TypeError: If the image holds integers.

    Example:
        >>> blurred(jnp.array([[0.0], [1.0], [0.0]]), sigma=1.0).round(2).ravel()
        Array([0.35, 0.45, 0.35], dtype=float32)

    References:
        Fong and Vedaldi (2017), *Interpretable Explanations of Black Boxes by
        Meaningful Perturbation*, arXiv:1704.03296.
    """
    return blur(_valid.image(image), sigma=sigma)
