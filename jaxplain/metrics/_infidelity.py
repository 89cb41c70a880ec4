"""Does an attribution say how `f` changes?"""

from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, PyTree

from .. import _checks, _tree
from .._types import REQUIRED, PRNGKey, Scalar, ScalarFn, Ts, X
from . import _valid
from ._perturbed import Perturbation, Perturbed
from ._types import Drawing


def infidelity(
    f: ScalarFn[X, *Ts],
    *,
    draw: Perturbation,
    num_samples: int = 100,
    normalise: bool = False,
    chunk_size: int | None = None,
) -> Drawing[X, *Ts, Scalar]:
    r"""The mean squared error of an attribution as a prediction of how `f` changes.

    $$\mathbb{E}_I \left[\left(I^\top \phi -
    \left(f(x) - f(x - I)\right)\right)^2\right]$$

    Zero if the attribution is right about every change that is drawn. It judges sizes
    and signs, not the order alone, so an attribution in other units, such as a map
    between 0 and 1, fails whatever it shows: `normalise` forgives the scale. The draw
    decides what is right. Small noise asks for slopes, removal for shares of `f`, and
    under it `f` sees inputs that are unlike the data. In the units of `f`, squared.

    Args:
        f: Function that was explained.
        draw: `draw(x, key, **refs)` returns one `Perturbed` input: `gaussian(std)`,
            `to_baseline(probability)`, `squares(size)`, or your own.
        num_samples: Number of changes.
        normalise: Multiply the attribution with the factor that fits best over the
            sample, $\beta = \mathbb{E}[a b] / \mathbb{E}[a^2]$ for the predicted drop
            $a$ and the true one $b$; 1 where all predictions are zero.
        chunk_size: Number of changes at once; all of them by default.
            Peak memory follows it.

    Returns:
        `measure(x, *args, attribution, key, **refs)`, a scalar; `refs`, such as
        `baseline`, go to `draw`. The attribution has the shape of `x`. NaN if the
        attribution holds NaN. Costs `num_samples + 1` evaluations of `f`; the standard
        error falls as `1 / sqrt(num_samples)`.

    Raises:
        ValueError: If `num_samples` or `chunk_size` is below 1, `f` does not return a
            scalar, or `attribution` or what is drawn does not have the shape of `x`.
        TypeError: If `x` holds integers, `key` is missing, or `draw` does not return a
            `Perturbed`.

    Example:
        >>> f = lambda x: x[0] * x[1]
        >>> x = jnp.array([2.0, 3.0])
        >>> measure = infidelity(f, draw=to_baseline(1.0))
        >>> gradient_times_input = jnp.array([6.0, 6.0])
        >>> key = jax.random.key(0)
        >>> measure(x, attribution=gradient_times_input, key=key, baseline=0.0)
        Array(36., dtype=float32)

    References:
        Yeh, Hsieh, Suggala, Inouye and Ravikumar (2019), *On the (In)fidelity and
        Sensitivity of Explanations*, arXiv:1901.09392, equation 1.
    """
    _checks.count("num_samples", num_samples)
    _checks.chunk_size(chunk_size)

    def measure(
        x: X,
        /,
        *args: *Ts,
        attribution: PyTree = REQUIRED,
        key: PRNGKey = REQUIRED,
        **refs: Any,
    ) -> Scalar:
        _checks.key(key, "infidelity")
        x = _checks.inputs(x)
        phi = _valid.like_input(_checks.given(attribution), x)
        value = _checks.scalar(f)
        full = value(x, *args)
        wide = _tree.accumulator(full.dtype)

        def one(i: Array) -> tuple[Array, Array]:
            there, change = _drawn(draw(x, jr.fold_in(key, i), **refs), x)
            drop = full.astype(wide) - value(there, *args).astype(wide)
            return _inner(change, phi).astype(wide), drop

        claimed, drop = _tree.map_samples(one, num_samples, chunk_size)
        if normalise:
            claimed = _in_reach(claimed)
            claimed = _best_scale(claimed, drop) * claimed
        return jnp.mean((claimed - drop) ** 2)

    return measure


def _drawn(drawn: Any, x: PyTree) -> Perturbed:
    if not isinstance(drawn, Perturbed):
        raise TypeError(
            "`draw` must return a `metrics.Perturbed`, but returned "
            f"{_checks.describe(drawn)}. Return the changed input and what the "
            "attribution is multiplied with, for example `Perturbed(x - noise, noise)`."
        )
    for name, tree in zip(Perturbed._fields, drawn):
        shapes = [jnp.shape(leaf) for leaf in jax.tree.leaves(tree)]
        if shapes != [leaf.shape for leaf in jax.tree.leaves(x)]:
            raise ValueError(
                f"`draw` must return a `{name}` of the shape of `x`, "
                f"{jax.tree.map(_checks.show, x)}, but returned "
                f"{jax.tree.map(_checks.describe, tree)}. Broadcast it to that shape."
            )
    return drawn


def _inner(a: PyTree, b: PyTree) -> Array:
    dtype = _tree.widest((a, b))
    product = lambda x, y: x.astype(dtype) * y.astype(dtype)
    return _tree.total(jax.tree.map(product, a, b))


def _in_reach(claimed: Array) -> Array:
    """Predictions of at most 1, whose squares neither underflow nor overflow."""
    largest = jax.lax.stop_gradient(jnp.max(jnp.abs(claimed)))
    return claimed / jnp.where((largest > 0) & jnp.isfinite(largest), largest, 1)


def _best_scale(claimed: Array, drop: Array) -> Array:
    power = jnp.mean(claimed**2)
    fits = jnp.mean(claimed * drop) / jnp.where(power == 0, 1, power)
    return jnp.where(power == 0, 1, fits)
