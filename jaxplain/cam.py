"""Class activation maps: the features of a layer, weighed by gradients."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from . import _checks, _tree, layers
from ._types import Mapped, ScalarFn, Ts, X


def grad_cam(f: ScalarFn[X, *Ts], *, at: str, relu: bool = False) -> Mapped[X, *Ts]:
    r"""A layer's channels, weighed by their mean gradients.

    $$L = \sum_k \alpha_k A^k, \qquad
    \alpha_k = \frac{1}{Z} \sum_{p} \frac{\partial f}{\partial A^k_p}$$

    $A$ are the features at the layer, channels last, and $p$ runs over all the other
    axes: two for an image, one for a series. The map is signed, for negative evidence
    is evidence too; `relu=True` keeps the positive part, as in the paper. It is not
    normalised: divide by its maximum to compare shapes, not sizes. Zero gradients give
    a map of zeros, never NaN. Costs one gradient of what follows the layer.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        at: Name of the layer, as listed by `taps`.
        relu: Keep the positive part only.

    Returns:
        `explain(x, *args)`, of the shape of the features without their channels. Bring
        it to the size of the input with `cam.upsample`.

    Raises:
        ValueError: If `f` does not return a scalar, or the layer is not one array with
            channels and at least one other axis.
        LayerError: If there is no such layer.

    Example:
        >>> def f(image):
        ...     features = tap(jnp.stack([image, -image], -1), "features")
        ...     return (features * jnp.array([1.0, 0.5])).mean()
        >>> grad_cam(f, at="features")(jnp.array([[1.0, 2.0], [3.0, 4.0]]))
        Array([[0.0625, 0.125 ],
               [0.1875, 0.25  ]], dtype=float32)

    References:
        Selvaraju et al. (2017), *Grad-CAM*, arXiv:1610.02391, equations 1 and 2.
    """

    def explain(x: X, /, *args: *Ts) -> Array:
        features, head = layers.cut(_checks.scalar(f), x, *args, at=at)
        _checks.features(features, at)
        gradient = jax.grad(head)(features)
        space = tuple(range(features.ndim - 1))
        wide = _tree.accumulator(features.dtype)
        weights = jnp.mean(gradient, space, dtype=wide)
        weights = jnp.broadcast_to(weights, features.shape)
        heatmap = jnp.sum(weights * features.astype(wide), -1).astype(features.dtype)
        return jax.nn.relu(heatmap) if relu else heatmap

    return explain


def upsample(heatmap: ArrayLike, shape: Sequence[int]) -> Float[Array, "..."]:
    """Stretch a map to the size of the input, linearly between pixel centres.

    Pixels are areas with values at their half-integer centres, as in PyTorch's
    `align_corners=False` and in OpenCV; the border is constant beyond the last centre.

    Args:
        heatmap: Map of any rank, such as `(7, 7)`.
        shape: Target shape, of the same rank, such as `image.shape[:2]`.

    Returns:
        Array of shape `shape`, in the dtype of `heatmap`.

    Raises:
        ValueError: If the ranks differ.
        TypeError: If `heatmap` holds integers.

    Example:
        >>> upsample(jnp.array([[0.0, 1.0], [2.0, 5.0]]), (4, 4))[0]
        Array([0.  , 0.25, 0.75, 1.  ], dtype=float32)
    """
    values = jnp.asarray(heatmap)
    if not jnp.issubdtype(values.dtype, jnp.floating):
        raise TypeError(
            f"`heatmap` must be floating-point, but is {_checks.show(values)}."
        )
    if len(shape) != values.ndim:
        raise ValueError(
            f"`shape` must have one length per axis of `heatmap`, which has shape "
            f"{values.shape}, but is {tuple(shape)}. Leave the channels out, for "
            "example `image.shape[:2]`."
        )
    # Without antialiasing, which would blur where the target is the smaller one.
    return jax.image.resize(values, tuple(shape), "linear", antialias=False)
