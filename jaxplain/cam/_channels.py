"""Maps that weigh each channel of a layer by one number."""

from .._types import Mapped, ScalarFn, Ts, X
from . import reducers
from ._maps import activation_map


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
        TypeError: If the layer holds integers.
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
    return activation_map(f, at=at, reducer=reducers.grad_cam, relu=relu)


def grad_cam_plus_plus(
    f: ScalarFn[X, *Ts], *, at: str, relu: bool = False
) -> Mapped[X, *Ts]:
    r"""A layer's channels, weighed by their positive gradients.

    $$L = \sum_k \Big(\sum_p \alpha^k_p \max(G^k_p, 0)\Big) A^k, \qquad
    \alpha^k_p = \frac{1}{2 + S_k G^k_p}$$

    $G$ is the gradient of `f` at the features $A$ and $S_k = \sum_p A^k_p$. Weights are
    never negative: a map of evidence for the score, which finds several objects of one
    class where a mean over positions finds the largest. The size of `f` matters: with
    large gradients every position counts the same, `1 / S_k`. Zero gradients, or zero
    features, give a map of zeros. Costs one gradient of what follows the layer.

    This is the formula of the paper with the square of the gradient cancelled; where
    $S_k$ is negative, as without a ReLU, it counts as zero. pytorch-grad-cam adds 1e-6
    to the denominator before it is cancelled, so gradients below 1e-3 fade away there;
    xplique takes means over positions for sums; tf-keras-vis multiplies by the
    exponential of the score, and normalises $\alpha$.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        at: Name of the layer, as listed by `taps`: after a ReLU, as in the paper.
        relu: Keep the positive part only.

    Returns:
        `explain(x, *args)`, of the shape of the features without their channels. Bring
        it to the size of the input with `cam.upsample`.

    Raises:
        ValueError: If `f` does not return a scalar, or the layer is not one array with
            channels and at least one other axis.
        TypeError: If the layer holds integers.
        LayerError: If there is no such layer.

    Example:
        >>> f = lambda x: (tap(x, "features") * jnp.array([1.0, -2.0])).sum()
        >>> explain = cam.grad_cam_plus_plus(f, at="features")
        >>> explain(jnp.array([[1.0, 2.0], [1.0, 1.0]]))
        Array([0.5, 0.5], dtype=float32)

    References:
        Chattopadhyay, Sarkar, Howlader and Balasubramanian (2018), *Grad-CAM++*,
        arXiv:1710.11063, equation 19.
    """
    return activation_map(f, at=at, reducer=reducers.grad_cam_plus_plus, relu=relu)


def xgrad_cam(f: ScalarFn[X, *Ts], *, at: str, relu: bool = False) -> Mapped[X, *Ts]:
    r"""A layer's channels, weighed by gradients where their features are.

    $$L = \sum_k \Big(\sum_p \frac{A^k_p}{\sum_q A^k_q} G^k_p\Big) A^k$$

    $G$ is the gradient of `f` at the features $A$. Where `f` is piecewise linear in the
    layer, without biases after it, the map sums to `f`. Where the features of a channel
    cancel, its weight has no meaning, and fades to zero instead of growing without
    bound; `cam.reducers.xgrad_cam` says how. After a ReLU nothing cancels. Costs one
    gradient of what follows the layer.

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
        >>> explain = cam.xgrad_cam(f, at="features")
        >>> explain(jnp.array([[1.0, 2.0], [1.0, 0.0]]))
        Array([-3.50 , 0.50], dtype=float32)

    References:
        Fu, Hu, Dong, Guo, Gao and Li (2020), *Axiom-based Grad-CAM*, arXiv:2008.02312.
    """
    return activation_map(f, at=at, reducer=reducers.xgrad_cam, relu=relu)
