"""Maps that are made of others."""

from collections.abc import Callable, Sequence
from typing import get_args

import jax
import jax.numpy as jnp
from jaxtyping import Array

from .. import _checks, _tree, gradients, rules
from .._types import Explainer, Explains, ScalarFn, Ts, X
from ._channels import grad_cam
from ._upsample import Method, over, upsample


def guided_grad_cam(
    f: ScalarFn[X, *Ts], *, at: str, method: Method = "linear"
) -> Explainer[X, *Ts]:
    r"""The gradient of guided backpropagation, where Grad-CAM is positive.

    $$\phi(x) = \mathrm{up}(\max(L, 0)) \odot \nabla (\mathrm{guided}\, f)(x)$$

    $L$ is `grad_cam` at a layer, stretched over the input. The class comes from $L$
    alone: what is sharp in it hardly depends on the class or on higher layers; see
    `rules.guided`. Costs two gradients.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        at: Name of the layer, as listed by `taps`.
        method: How `cam.upsample` stretches the map: `"linear"`, as in the paper, or
            `"nearest"`.

    Returns:
        `explain(x, *args)`, shaped like `x`. The leading axes of `x` are those of the
        layer, at another resolution: `(height, width, ...)` for an image.

    Raises:
        ValueError: If `f` does not return a scalar, the layer is not one array with
            channels and at least one other axis, `x` is empty or has fewer axes than
            that, or `method` is neither of the two.
        TypeError: If `x` or the layer holds integers.
        LayerError: If there is no such layer.

    Example:
        >>> f = lambda x: jax.nn.relu(tap(x, "features") * jnp.array([1.0, -1.0])).sum()
        >>> explain = cam.guided_grad_cam(f, at="features")
        >>> explain(jnp.array([[2.0, -1.0], [3.0, 4.0]]))
        Array([[ 2.5, -2.5],
               [ 1. , -0. ]], dtype=float32)

    References:
        Selvaraju et al. (2017), *Grad-CAM*, arXiv:1610.02391, section 3.2.
    """
    _checks.choice("method", method, get_args(Method))
    coarse = grad_cam(f, at=at, relu=True)
    fine = gradients.saliency(rules.guided(f))

    def explain(x: X, /, *args: *Ts) -> X:
        heatmap = coarse(x, *args)

        def masked(gradient: Array) -> Array:
            mask = over(gradient, heatmap, at, method).astype(gradient.dtype)
            return mask * gradient

        return jax.tree.map(masked, fine(x, *args))

    return explain


def over_layers(
    make: Callable[..., Explains[Array]],
    f: Callable[..., object],
    *,
    at: Sequence[str],
    shape: Sequence[int] | None = None,
) -> Explains[Array]:
    r"""Average the maps of several layers, coarse and fine.

    $$L = \frac{1}{n} \sum_l \frac{\mathrm{up}(L_l)}{\max |L_l|}$$

    Maps keep their size everywhere else. Here each is divided by its largest magnitude,
    because gradients of different layers have different sizes: without it, one layer
    would be the average. Signs stay, values are from -1 to 1, and a map of zeros stays
    zero. Costs what the maps cost together.

    Args:
        make: What makes an explainer of a layer: `make(f, at=name)` returns one, as
            `grad_cam`, or `functools.partial(cam.layer_cam, relu=True)`.
        f: Function to explain: `f(x, *args)` returns a scalar.
        at: Names of the layers, as listed by `taps`.
        shape: Shape of the average, such as `image.shape[:2]`; by default that of the
            finest of the maps.

    Returns:
        `explain(x, *args, ...)`, which takes what the explainers of the layers take.

    Raises:
        ValueError: If `at` is empty, or the maps have different numbers of axes.
        TypeError: If `at` is a string.

    Example:
        >>> def f(x):
        ...     fine = tap(x[:, None], "fine")
        ...     return (tap(fine[::2] + fine[1::2], "coarse") ** 2).sum()
        >>> explain = cam.over_layers(cam.hires_cam, f, at=["fine", "coarse"])
        >>> explain(jnp.array([1.0, 1.0, 0.0, -1.0]))
        Array([1.     , 0.90625, 0.21875, 0.375  ], dtype=float32)
    """
    if isinstance(at, str) or not at:
        error = TypeError if isinstance(at, str) else ValueError
        raise error(
            f"`at` must be a sequence of names of layers, but is {at!r}. Name at least "
            'one, for example `at=["block1", "block2"]`.'
        )
    explainers = [make(f, at=name) for name in at]

    def explain(*args: object, **refs: object) -> Array:
        maps = [explainer(*args, **refs) for explainer in explainers]
        finest = max(maps, key=lambda heatmap: heatmap.size)
        space = finest.shape if shape is None else tuple(shape)
        wide = _tree.widest(maps)
        total = jnp.zeros(space, wide)
        for heatmap in maps:
            total += upsample(_scaled(heatmap.astype(wide)), space)
        return (total / len(maps)).astype(finest.dtype)

    return explain


def _scaled(heatmap: Array) -> Array:
    largest = jnp.max(jnp.abs(heatmap))
    return heatmap / jnp.where(largest > 0, largest, 1)
