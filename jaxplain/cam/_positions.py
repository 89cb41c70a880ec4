"""Maps of every position of a layer by itself."""

import jax
from jaxtyping import Array

from .. import _checks, layers
from .._types import Mapped, ScalarFn, Ts, X
from . import reducers
from ._maps import activation_map


def hires_cam(f: ScalarFn[X, *Ts], *, at: str, relu: bool = False) -> Mapped[X, *Ts]:
    r"""A layer's features times their own gradients.

    $$L_p = \sum_k A^k_p \, \frac{\partial f}{\partial A^k_p}$$

    Input times gradient, at a layer, summed over its channels. Where `f` is piecewise
    linear in the layer, without biases after it, the map sums to `f`; where a linear
    layer on average pooling follows, it is Grad-CAM. Positions that the score does not
    read are zero, which a mean over positions does not grant. Signed, as in the paper.
    Costs one gradient of what follows the layer.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        at: Name of the layer, as listed by `taps`.
        relu: Keep the positive part only.

    Returns:
        `explain(x, *args)`, of the shape of the features without their channels, in the
        units of `f`. Bring it to the size of the input with `cam.upsample`.

    Raises:
        ValueError: If `f` does not return a scalar, or the layer is not one array with
            channels and at least one other axis.
        TypeError: If the layer holds integers.
        LayerError: If there is no such layer.

    Example:
        >>> f = lambda x: tap(x, "features")[0] @ jnp.array([1.0, -2.0])
        >>> cam.hires_cam(f, at="features")(jnp.array([[1.0, 2.0], [1.0, 0.0]]))
        Array([-3., 0.], dtype=float32)

    References:
        Draelos and Carin (2020), *Use HiResCAM Instead of Grad-CAM for Faithful
        Explanations of Convolutional Neural Networks*, arXiv:2011.08891.
    """
    return activation_map(f, at=at, reducer=reducers.hires_cam, relu=relu)


def layer_cam(f: ScalarFn[X, *Ts], *, at: str, relu: bool = False) -> Mapped[X, *Ts]:
    r"""A layer's features times their own gradients, where these are positive.

    $$L_p = \sum_k A^k_p \max\left(\frac{\partial f}{\partial A^k_p}, 0\right)$$

    Evidence against the score is left out, which keeps maps of early layers from
    cancelling: those are fine, and good to average with coarse ones; see
    `cam.over_layers`. Negative only where features are. Costs one gradient of what
    follows the layer.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        at: Name of the layer, as listed by `taps`.
        relu: Keep the positive part only, as in the paper.

    Returns:
        `explain(x, *args)`, of the shape of the features without their channels. Bring
        it to the size of the input with `cam.upsample`.

    Raises:
        ValueError: If `f` does not return a scalar, or the layer is not one array with
            channels and at least one other axis.
        TypeError: If the layer holds integers.
        LayerError: If there is no such layer.

    Example:
        >>> f = lambda x: tap(x, "features")[0] @ jnp.array([1.0, -2.0])
        >>> cam.layer_cam(f, at="features")(jnp.array([[1.0, 2.0], [1.0, 0.0]]))
        Array([1., 0.], dtype=float32)

    References:
        Jiang, Zhang, Hou, Cheng and Wei (2021), *LayerCAM: Exploring Hierarchical Class
        Activation Maps for Localization*, IEEE Transactions on Image Processing 30.
    """
    return activation_map(f, at=at, reducer=reducers.layer_cam, relu=relu)


def eigen_cam(f: ScalarFn[X, *Ts], *, at: str, relu: bool = False) -> Mapped[X, *Ts]:
    r"""The first principal component of a layer's features.

    $$L = \bar A v$$

    $\bar A$ are the features, a row per position and a column per channel, less their
    mean over positions, and $v$ is their first principal axis. No map of a class: `f`
    only has to hold the layer. Its sign, which a decomposition leaves open, is that of
    the sum of the channels. The map sums to zero, since features are centred, as in
    pytorch-grad-cam; the paper does not centre them. Its derivative is safe where
    features are zero, and has no meaning where the two largest eigenvalues are equal.
    Costs one run up to the layer, and the eigenvectors of the smaller one of the Gram
    matrices of channels and of positions.

    Args:
        f: Function that holds the layer: `f(x, *args)`.
        at: Name of the layer, as listed by `taps`.
        relu: Keep the positive part only.

    Returns:
        `explain(x, *args)`, of the shape of the features without their channels, in
        their units. Bring it to the size of the input with `cam.upsample`.

    Raises:
        ValueError: If the layer is not one array with channels and at least one other
            axis.
        TypeError: If the layer holds integers.
        LayerError: If there is no such layer.

    Example:
        >>> f = lambda x: tap(x, "features").sum()
        >>> cam.eigen_cam(f, at="features")(jnp.array([[1.0, 2.0], [4.0, 6.0]]))
        Array([-2.5, 2.5], dtype=float32)

    References:
        Muhammad and Yeasin (2020), *Eigen-CAM: Class Activation Map using Principal
        Components*, arXiv:2008.00299.
    """

    def explain(x: X, /, *args: *Ts) -> Array:
        features, _ = layers.cut(f, x, *args, at=at)
        _checks.features(features, at)
        heatmap = reducers.eigen_cam(features, features)
        return jax.nn.relu(heatmap) if relu else heatmap

    return explain


def eigen_grad_cam(
    f: ScalarFn[X, *Ts], *, at: str, relu: bool = False
) -> Mapped[X, *Ts]:
    r"""The first principal component of a layer's features times their gradients.

    $$L = \bar E v, \qquad E = A \odot \frac{\partial f}{\partial A}$$

    Eigen-CAM of a class: $\bar E$ is $E$ less its mean over positions, and $v$ its
    first principal axis, of the sign that agrees with `cam.hires_cam`. The rest is as
    in `cam.eigen_cam`. Costs one gradient of what follows the layer, and the
    eigenvectors of the smaller one of the Gram matrices of channels and of positions.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        at: Name of the layer, as listed by `taps`.
        relu: Keep the positive part only.

    Returns:
        `explain(x, *args)`, of the shape of the features without their channels, in the
        units of `f`. Bring it to the size of the input with `cam.upsample`.

    Raises:
        ValueError: If `f` does not return a scalar, or the layer is not one array with
            channels and at least one other axis.
        TypeError: If the layer holds integers.
        LayerError: If there is no such layer.

    Example:
        >>> f = lambda x: (tap(x, "features") * jnp.array([[1.0], [-1.0]])).sum()
        >>> cam.eigen_grad_cam(f, at="features")(jnp.array([[1.0, 2.0], [4.0, 6.0]]))
        Array([ 4.7, -4.7], dtype=float32)

    References:
        Muhammad and Yeasin (2020), *Eigen-CAM: Class Activation Map using Principal
        Components*, arXiv:2008.00299.
    """
    return activation_map(f, at=at, reducer=reducers.eigen_grad_cam, relu=relu)
