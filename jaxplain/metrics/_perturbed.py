"""Random changes of an input, and what an attribution makes of each."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, ArrayLike, PyTree

from .. import _checks, _tree
from .._types import REQUIRED, PRNGKey
from ..perturbations import _axes, _windows


class Perturbed(NamedTuple):
    """A changed input, and what an attribution is multiplied with to say the drop.

    Attributes:
        x: The changed input.
        change: Shaped like `x`. For slopes, such as a gradient, `x` less the changed
            one. For shares of `f`, such as integrated gradients, Shapley values or
            occlusion, 1 where the feature is gone and 0 where it is not.
    """

    x: Any
    change: Any


Perturbation: TypeAlias = Callable[..., Perturbed]
"""`draw(x, key, **refs)` returns one random change of the input."""


def gaussian(std: PyTree) -> Perturbation:
    """Gaussian noise, which judges slopes.

    Args:
        std: Standard deviation of the noise, in the units of `x`; any prefix of `x`.

    Returns:
        `draw(x, key)`, the `draw` of `infidelity`.

    Raises:
        ValueError: At the call, if `std` is negative or does not fit `x`.

    Example:
        >>> x = jnp.array([1.0, 2.0])
        >>> moved = gaussian(0.1)(x, jax.random.key(0))
        >>> jnp.allclose(moved.x + moved.change, x)
        Array(True, dtype=bool)

    References:
        Yeh, Hsieh, Suggala, Inouye and Ravikumar (2019), *On the (In)fidelity and
        Sensitivity of Explanations*, arXiv:1901.09392, section 2.
    """

    def draw(x: Any, key: PRNGKey, /) -> Perturbed:
        x = _checks.inputs(x)
        scale = _checks.spread_of_noise(std, x)

        def moved(leaf: Array, scale: Array, key: PRNGKey) -> Array:
            noise = jr.normal(key, leaf.shape, _tree.accumulator(leaf.dtype))
            wide = leaf.astype(noise.dtype) - scale.astype(noise.dtype) * noise
            return wide.astype(leaf.dtype)

        there = jax.tree.map(moved, x, scale, _keys(key, x))
        wide = lambda leaf: leaf.astype(_tree.accumulator(leaf.dtype))
        # The step that was taken, and not the noise: narrow dtypes round it.
        return Perturbed(there, jax.tree.map(lambda a, b: wide(a) - wide(b), x, there))

    return draw


def to_baseline(probability: float = 0.5) -> Perturbation:
    """Each entry goes to the baseline with a probability, which judges shares of `f`.

    With `probability=1.0` all of them go, and the infidelity is the square of the
    completeness gap.

    Args:
        probability: How likely an entry is to go.

    Returns:
        `draw(x, key, *, baseline)`, the `draw` of `infidelity`.

    Raises:
        ValueError: If `probability` is not above 0 and at most 1; at the call, if
            `baseline` does not fit `x`.
        TypeError: At the call, if `baseline` is missing.

    Example:
        >>> to_baseline(1.0)(jnp.array([1.0, 2.0]), jax.random.key(0), baseline=0.0)
        Perturbed(x=Array([0., 0.], dtype=float32),
            change=Array([1., 1.], dtype=float32))

    References:
        Yeh et al. (2019), arXiv:1901.09392, section 2.
    """
    _checks.positive("probability", probability)
    if probability > 1:
        raise ValueError(
            f"`probability` must be at most 1, but is {probability!r}. Pass 1.0 to "
            "remove every entry."
        )

    def draw(x: Any, key: PRNGKey, /, *, baseline: Any = REQUIRED) -> Perturbed:
        x = _checks.inputs(x)

        def gone(leaf: Array, key: PRNGKey) -> Array:
            # In float32 with and without x64, so that a key draws the same.
            return jr.uniform(key, leaf.shape, jnp.float32) < probability

        return _removed(x, baseline, jax.tree.map(gone, x, _keys(key, x)))

    return draw


def squares(size: int | tuple[int, ...]) -> Perturbation:
    """A square at a random place goes to the baseline, which judges shares of `f`.

    Each place that lies within the input is equally likely, so pixels at the border go
    less often. On a series it is a window of time.

    Args:
        size: Side of the square along every axis but the channels, or a tuple with a
            side for each of the leading axes.

    Returns:
        `draw(x, key, *, baseline)`, the `draw` of `infidelity`. `x` is one array,
        channels last.

    Raises:
        ValueError: If a side is below 1; at the call, if the square does not fit into
            `x`, or `baseline` does not fit it.
        TypeError: At the call, if `baseline` is missing.

    Example:
        >>> moved = squares(2)(jnp.ones((4, 4, 3)), jax.random.key(0), baseline=0.0)
        >>> moved.change.sum(), (moved.x + moved.change).min()
        (Array(12., dtype=float32), Array(1., dtype=float32))

    References:
        Yeh et al. (2019), arXiv:1901.09392, section 2.4: square removal.
    """
    sides = _axes.sides("size", size)

    def draw(x: Any, key: PRNGKey, /, *, baseline: Any = REQUIRED) -> Perturbed:
        x = _axes.one_array("size", x)
        _fits(_axes.over_axes("size", sides, x), x)
        windows = _windows.lay(x, sides, 1)
        # In 32 bits with and without x64, as above.
        place = jr.randint(key, (), 0, windows.number, jnp.int32)
        present = _windows.present(windows, place.astype(int))
        return _removed(x, baseline, ~jnp.broadcast_to(present, x.shape))

    return draw


def _fits(sides: tuple[int, ...], x: Array) -> None:
    if any(side > length for side, length in zip(sides, x.shape)):
        raise ValueError(
            f"`size` must fit into `x`, which is {_checks.show(x)}, but is {sides}. "
            "Take a smaller square."
        )


def _removed(x: PyTree, baseline: PyTree | ArrayLike, gone: PyTree) -> Perturbed:
    start = _checks.baseline(baseline, x)
    change = lambda g, leaf: g.astype(_tree.accumulator(leaf.dtype))
    return Perturbed(
        jax.tree.map(jnp.where, gone, start, x), jax.tree.map(change, gone, x)
    )


def _keys(key: PRNGKey, x: PyTree) -> PyTree:
    leaves, treedef = jax.tree.flatten(x)
    return treedef.unflatten(list(jr.split(key, len(leaves))))
