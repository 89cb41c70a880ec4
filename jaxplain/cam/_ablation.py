"""Maps that weigh channels by what happens to the score, without gradients."""

from collections.abc import Callable
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike

from .. import _checks, _tree, games, layers, perturbations
from .._types import REQUIRED, Mapped, ScalarFn, Ts, X, X_contra
from ._precision import widened
from ._upsample import over

Temperature: TypeAlias = float | Literal["std"]


@runtime_checkable
class MappedFrom(Protocol[X_contra, *Ts]):
    """A map at the resolution of a layer, that measures `x` against a `baseline`."""

    def __call__(
        self, x: X_contra, /, *args: *Ts, baseline: X_contra | ArrayLike
    ) -> Array: ...


def ablation_cam(
    f: ScalarFn[X, *Ts], *, at: str, relu: bool = False, chunk_size: int | None = None
) -> Mapped[X, *Ts]:
    r"""A layer's channels, weighed by how much `f` drops without them.

    $$L = \sum_k (y - y_k) A^k$$

    $y$ is `f(x)`, and $y_k$ is `f` with channel $k$ of the layer at zero: occlusion of
    the channels. The paper divides weights by $y$, which turns the map around where $y$
    is negative, and blows it up where $y$ is near zero. Left out, the map is linear in
    `f`; where $y$ is positive they differ by a factor. For channels that are absent in
    another way, weigh them by `occlusion` of what `cut` returns. Costs one evaluation
    of what follows the layer per channel, and one more.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        at: Name of the layer, as listed by `taps`.
        relu: Keep the positive part only, as in the paper.
        chunk_size: Number of channels left out at once; all of them by default.
            Peak memory follows it.

    Returns:
        `explain(x, *args)`, of the shape of the features without their channels. Bring
        it to the size of the input with `cam.upsample`.

    Raises:
        ValueError: If `f` does not return a scalar, or the layer is not one array with
            channels and at least one other axis.
        TypeError: If the layer holds integers.
        LayerError: If there is no such layer.

    Example:
        >>> f = lambda x: tap(x, "features").max(0) @ jnp.array([1.0, -2.0])
        >>> cam.ablation_cam(f, at="features")(jnp.array([[1.0, 2.0], [3.0, 0.0]]))
        Array([-5., 9.], dtype=float32)

    References:
        Desai and Ramaswamy (2020), *Ablation-CAM: Visual Explanations for Deep
        Convolutional Network via Gradient-free Localization*, WACV.
    """
    _checks.chunk_size(chunk_size)

    def explain(x: X, /, *args: *Ts) -> Array:
        features, head = layers.cut(_checks.scalar(f), x, *args, at=at)
        _checks.features(features, at)
        *space, channels = features.shape
        labels = np.arange(channels).reshape(*(1,) * len(space), channels)
        occlude = perturbations.occlusion(
            head, num_groups=channels, chunk_size=chunk_size
        )
        drops = occlude(features, baseline=0.0, groups=labels)
        heatmap = _weighed(features, drops)
        return jax.nn.relu(heatmap) if relu else heatmap

    return explain


def score_cam(
    f: ScalarFn[X, *Ts],
    *,
    at: str,
    temperature: Temperature = 1.0,
    relu: bool = False,
    chunk_size: int | None = None,
) -> MappedFrom[X, *Ts]:
    r"""A layer's channels, weighed by the score of what they let through.

    $$L = \sum_k w_k A^k, \qquad w = \mathrm{softmax}_k\left(\frac{f(x_k)}{T}\right),
    \qquad x_k = m_k \odot x + (1 - m_k) \odot b$$

    $m_k$ is channel $k$, stretched over the input and rescaled to $[0, 1]$. Weights are
    positive and sum to 1: what counts is which channel, not how much. A channel that is
    the same everywhere says nothing and weighs nothing; without any other, the map is
    zero. Costs one evaluation of `f` per channel, and one run up to the layer.

    Among hundreds of channels the softmax of raw logits is close to their maximum, and
    the map close to one channel: `temperature="std"` divides the scores by their
    standard deviation first, so that the map does not depend on the scale of `f`.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        at: Name of the layer, as listed by `taps`.
        temperature: $T$: a number, 1 as in the paper, or `"std"` for the standard
            deviation of the scores over channels.
        relu: Keep the positive part only, as in the paper.
        chunk_size: Number of channels evaluated at once; all of them by default.
            Peak memory follows it.

    Returns:
        `explain(x, *args, baseline)`, of the shape of the features without their
        channels. The leading axes of `x` are those of the layer, at another resolution:
        `(height, width, ...)` for an image. The baseline may be any prefix of `x`, and
        is `0.0` in the paper. Bring the map to the size of the input with
        `cam.upsample`.

    Raises:
        ValueError: If `f` does not return a scalar, the layer is not one array with
            channels and at least one other axis, `x` has fewer axes than that, or
            `temperature` or `baseline` does not fit.
        TypeError: If `x` or the layer holds integers, or `baseline` is missing.
        LayerError: If there is no such layer.

    Example:
        >>> f = lambda x: tap(jnp.stack([x, 1 - x], -1), "features")[1, 0]
        >>> explain = cam.score_cam(f, at="features")
        >>> explain(jnp.array([0.0, 0.8, 0.4]), baseline=0.0)
        Array([0.3100255, 0.6139847, 0.4620051], dtype=float32)

    References:
        Wang et al. (2020), *Score-CAM*, arXiv:1910.01279.
    """
    if not isinstance(temperature, str):
        _checks.positive("temperature", temperature)
    elif temperature != "std":
        raise TypeError(
            "`temperature` must be a positive number, or 'std' for the standard "
            f"deviation of the scores, but is {temperature!r}."
        )
    _checks.chunk_size(chunk_size)

    def explain(x: X, /, *args: *Ts, baseline: X | ArrayLike = REQUIRED) -> Array:
        x = _checks.inputs(x)
        features, _ = layers.cut(f, x, *args, at=at)
        _checks.features(features, at)
        v = games.game(f, x, *args, baseline=baseline)
        channels = jnp.moveaxis(features, -1, 0)
        channels = channels.astype(_tree.accumulator(features.dtype))

        def score(k: Array) -> Array:
            mask = lambda leaf: _unit_range(over(leaf, channels[k], at))
            value = v(jax.tree.map(mask, x))
            return value.astype(_tree.accumulator(value.dtype))

        scores = _tree.map_samples(score, len(channels), chunk_size)
        space = tuple(range(1, channels.ndim))
        varies = jnp.max(channels, space) > jnp.min(channels, space)
        heatmap = _weighed(features, _softmax(scores, varies, temperature))
        return jax.nn.relu(heatmap) if relu else heatmap

    return explain


def _weighed(features: Array, weights: Array) -> Array:
    weigh: Callable[[Array, Array], Array] = lambda a, w: jnp.sum(a * w, -1)
    return widened(weigh)(features, jnp.broadcast_to(weights, features.shape))


def _unit_range(values: Array) -> Array:
    low, high = jnp.min(values), jnp.max(values)
    return (values - low) / jnp.where(high > low, high - low, 1)


def _softmax(scores: Array, picked: Array, temperature: Temperature) -> Array:
    """The softmax of the picked scores, and 0 for the others; all 0 if none is."""
    if temperature == "std":
        spread: Any = _std(scores, picked)
    else:
        spread = temperature
    lowest = jnp.finfo(scores.dtype).min
    peak = jax.lax.stop_gradient(jnp.max(scores, where=picked, initial=lowest))
    # What is not picked is out of the exponential too: it may be infinite, or NaN.
    weights = jnp.exp((jnp.where(picked, scores, peak) - peak) / spread)
    weights = jnp.where(picked, weights, 0)
    total = jnp.sum(weights)
    return weights / jnp.where(total > 0, total, 1)


def _std(scores: Array, picked: Array) -> Array:
    """The standard deviation of the picked scores, or 1 where they are all the same."""
    number = jnp.maximum(jnp.sum(picked), 1).astype(scores.dtype)
    mean = jnp.sum(jnp.where(picked, scores, 0)) / number
    square = jnp.sum(jnp.where(picked, jnp.where(picked, scores, mean) - mean, 0) ** 2)
    variance = square / number
    return jnp.sqrt(jnp.where(variance > 0, variance, 1))
