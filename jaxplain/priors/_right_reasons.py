"""A penalty on gradients where there is no reason to look."""

from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree

from .. import _checks, _tree
from .._types import REQUIRED, Scalar, ScalarFn, Ts, X, X_contra


@runtime_checkable
class Penalty(Protocol[X_contra, *Ts]):
    """`penalty(x, *args, mask)` returns a number to add to a loss."""

    def __call__(self, x: X_contra, /, *args: *Ts, mask: PyTree) -> Scalar: ...


def right_reasons(f: ScalarFn[X, *Ts]) -> Penalty[X, *Ts]:
    r"""The squared gradient of `f` in the entries that should not matter.

    $$\Omega(x) = \sum_i \left( m_i \, \frac{\partial f}{\partial x_i}(x) \right)^2$$

    Add it to the loss of a training step, and the network is right for other reasons
    than the masked ones. The paper takes the sum of the log-probabilities of all
    classes for `f`, so that no class may use them. It holds where the data are: a
    gradient of 0 at `x` is flat around it, and says nothing of the same input with
    the masked entries far away. Costs one gradient; a training step differentiates it
    once more.

    Args:
        f: Function to restrain: `f(x, *args)` returns a scalar, and `args` hold the
            parameters to train.

    Returns:
        `penalty(x, *args, mask)`, a scalar. The mask is 1 where `f` must not look, or
        a weight: a prefix of `x`, or an array of its leading axes, such as
        `(height, width)`.

    Raises:
        ValueError: If `f` does not return a scalar, `x` is empty, or `mask` does not
            fit it.
        TypeError: If `x` holds integers, or `mask` is missing.

    Example:
        >>> penalty = jx.priors.right_reasons(lambda x, w: (w * x).sum())
        >>> slope = jax.grad(penalty, 1)
        >>> slope(jnp.ones(2), jnp.array([2.0, 3.0]), mask=jnp.array([0.0, 1.0]))
        Array([0., 6.], dtype=float32)

    References:
        Ross, Hughes and Doshi-Velez (2017), *Right for the Right Reasons: Training
        Differentiable Models by Constraining their Explanations*, arXiv:1703.03717,
        equation 2.
    """
    f = _checks.scalar(f)

    def penalty(x: X, /, *args: *Ts, mask: PyTree = REQUIRED) -> Scalar:
        x = _checks.inputs(x)
        weights = _weights(mask, x)
        slope = jax.grad(f)(x, *args)
        return _tree.total(jax.tree.map(_restrained, weights, slope))

    return penalty


def _restrained(m: Array, slope: Array) -> Array:
    wide = slope.astype(_tree.accumulator(slope.dtype))
    # Where `f` may look, its slope may be infinite.
    return (m * jnp.where(m == 0, 0, wide)) ** 2


def _weights(mask: Any, x: PyTree) -> PyTree:
    """A mask over the leading axes of every leaf, for all of its entries."""
    if mask is None:
        raise TypeError(
            "`mask` is missing: say which entries `f` must not look at, for example "
            "`mask=jax.numpy.zeros(x.shape).at[:3, :3].set(1)`."
        )

    def fill(part: Any, leaf: Array) -> Array:
        m = jnp.asarray(part)
        if m.shape != leaf.shape[: m.ndim]:
            raise ValueError
        m = m.reshape(*m.shape, *(1,) * (leaf.ndim - m.ndim))
        wide = _tree.accumulator(leaf.dtype)
        return jnp.broadcast_to(m, leaf.shape).astype(wide)

    try:
        return _tree.map_prefix(fill, mask, x)
    except ValueError:
        raise ValueError(
            f"`mask` must fit the leading axes of `x`, {jax.tree.map(_checks.show, x)},"
            f" but is {jax.tree.map(_checks.describe, mask)}. Pass an array of the "
            "shape of `x`, or one number per pixel or step."
        ) from None
