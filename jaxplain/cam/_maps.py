"""An explainer of a reducer."""

import jax
from jaxtyping import Array

from .. import _checks, _pooling, layers
from .._types import Mapped, ScalarFn, Ts, X
from ._precision import widened
from .reducers import Reducer


def activation_map(
    f: ScalarFn[X, *Ts], *, at: str, reducer: Reducer, relu: bool = False
) -> Mapped[X, *Ts]:
    r"""A class activation map of your own: a reducer of features and gradients.

    $$L = \mathrm{reducer}\left(A, \frac{\partial f}{\partial A}\right)$$

    The other maps of one gradient are this function of a reducer of `cam.reducers`. A
    reducer computes in float32 at least, whatever the dtype of the layer. Costs one
    gradient of what follows the layer.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        at: Name of the layer, as listed by `taps`.
        reducer: `reducer(features, gradients)` returns a map. Both are channels last,
            with any number of axes before: one for a series, two for an image.
        relu: Keep the positive part only.

    Returns:
        `explain(x, *args)`, of the shape that the reducer returns, in the dtype of the
        features.

    Raises:
        ValueError: If `f` does not return a scalar, or the layer is not one array with
            channels and at least one other axis.
        TypeError: If the layer holds integers.
        LayerError: If there is no such layer.

    Example:
        The positive features, weighed by the sign of their gradients.

        >>> def sign_cam(features, gradients):
        ...     return jnp.sum(jax.nn.relu(features) * jnp.sign(gradients), -1)
        >>> f = lambda x: (tap(x, "features") * jnp.array([3.0, -4.0])).sum()
        >>> explain = cam.activation_map(f, at="features", reducer=sign_cam)
        >>> explain(jnp.array([[1.0, 2.0], [3.0, -1.0]]))
        Array([-1., 3.], dtype=float32)
    """

    def explain(x: X, /, *args: *Ts) -> Array:
        features, head = layers.cut(_checks.scalar(f), x, *args, at=at)
        _checks.features(features, at)
        heatmap = widened(reducer)(features, _pooling.gradient(head)(features))
        return jax.nn.relu(heatmap) if relu else heatmap

    return explain
