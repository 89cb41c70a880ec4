"""Reducers: `(features, gradients) -> map`, what one class activation map differs in.

`features` are those of a layer, channels last, with any number of axes of space before
them; `gradients` are those of the score there. `cam.activation_map` makes an explainer
of any of them, and of your own.
"""

import functools
from collections.abc import Callable
from typing import TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array

from ._precision import widened

Reducer: TypeAlias = Callable[[Array, Array], Array]
"""From the features of a layer, and the gradients there, to a map."""


def _over_space(reduction: Callable[..., Array], values: Array) -> Array:
    """One number per channel, in a shape that fits the features again."""
    return reduction(values, axis=tuple(range(values.ndim - 1)), keepdims=True)


@widened
def grad_cam(features: Array, gradients: Array) -> Array:
    r"""Channels, weighed by their mean gradients.

    $$L = \sum_k \Big(\frac{1}{Z} \sum_p G^k_p\Big) A^k$$

    Args:
        features: $A$, channels last.
        gradients: $G$, of the same shape.

    Returns:
        A map of the shape of `features` without its channels.

    Example:
        >>> features, gradients = jnp.array([[1.0, 2.0]]), jnp.array([[3.0, -1.0]])
        >>> reducers.grad_cam(features, gradients)
        Array([1.], dtype=float32)
    """
    return jnp.sum(_over_space(jnp.mean, gradients) * features, -1)


@widened
def grad_cam_plus_plus(features: Array, gradients: Array) -> Array:
    r"""Channels, weighed by their positive gradients, each by a weight of its own.

    $$L = \sum_k \Big(\sum_p \frac{\max(G^k_p, 0)}{2 + \max(S_k, 0) \max(G^k_p, 0)}
    \Big) A^k, \qquad S_k = \sum_p A^k_p$$

    The weight of the paper, $G^2 / (2 G^2 + S_k G^3)$, with $G^2$ cancelled: only
    positive gradients count, so the denominator is 2 or more and needs no constant. A
    channel with a negative sum, which the derivation did not foresee, counts as one
    with a sum of zero.

    Args:
        features: $A$, channels last.
        gradients: $G$, of the same shape.

    Returns:
        A map of the shape of `features` without its channels.

    Example:
        >>> features, gradients = jnp.array([[1.0, 2.0]]), jnp.array([[3.0, -1.0]])
        >>> reducers.grad_cam_plus_plus(features, gradients)
        Array([0.6], dtype=float32)
    """
    positive = jax.nn.relu(gradients)
    total = jax.nn.relu(_over_space(jnp.sum, features))
    weights = _over_space(jnp.sum, positive / (2 + total * positive))
    return jnp.sum(weights * features, -1)


@widened
def xgrad_cam(features: Array, gradients: Array) -> Array:
    r"""Channels, weighed by the mean of their gradients that their features weigh.

    $$L = \sum_k w_k A^k, \qquad w_k = \frac{\sum_p A^k_p G^k_p}{T_k}
    \cdot \frac{r_k}{r_k^2 + \epsilon}, \qquad r_k = \frac{S_k}{T_k}$$

    with $S_k = \sum_p A^k_p$ and $T_k = \sum_p |A^k_p|$. The weight of the paper is
    $\sum_p A^k_p G^k_p / S_k$, which is this with $\epsilon = 0$. Here $\epsilon$ is
    the rounding of the dtype: no weight is infinite where positive and negative
    features cancel, and a channel of zeros weighs nothing.

    Args:
        features: $A$, channels last.
        gradients: $G$, of the same shape.

    Returns:
        A map of the shape of `features` without its channels.

    Example:
        >>> features, gradients = jnp.array([[1.0, 2.0]]), jnp.array([[3.0, -1.0]])
        >>> reducers.xgrad_cam(features, gradients)
        Array([1.00], dtype=float32)
    """
    size = _over_space(jnp.sum, jnp.abs(features))
    size = jnp.where(size > 0, size, 1)
    share = _over_space(jnp.sum, features) / size
    evidence = _over_space(jnp.sum, features * gradients / size)
    weights = evidence * share / (share**2 + jnp.finfo(features.dtype).eps)
    return jnp.sum(weights * features, -1)


@widened
def hires_cam(features: Array, gradients: Array) -> Array:
    r"""Every feature times its own gradient.

    $$L_p = \sum_k A^k_p G^k_p$$

    Args:
        features: $A$, channels last.
        gradients: $G$, of the same shape.

    Returns:
        A map of the shape of `features` without its channels.

    Example:
        >>> features, gradients = jnp.array([[1.0, 2.0]]), jnp.array([[3.0, -1.0]])
        >>> reducers.hires_cam(features, gradients)
        Array([1.], dtype=float32)
    """
    return jnp.sum(features * gradients, -1)


@widened
def layer_cam(features: Array, gradients: Array) -> Array:
    r"""Every feature times its own gradient, where that is positive.

    $$L_p = \sum_k A^k_p \max(G^k_p, 0)$$

    Args:
        features: $A$, channels last.
        gradients: $G$, of the same shape.

    Returns:
        A map of the shape of `features` without its channels.

    Example:
        >>> features, gradients = jnp.array([[1.0, 2.0]]), jnp.array([[3.0, -1.0]])
        >>> reducers.layer_cam(features, gradients)
        Array([3.], dtype=float32)
    """
    return jnp.sum(features * jax.nn.relu(gradients), -1)


@widened
def eigen_cam(features: Array, gradients: Array) -> Array:
    r"""The first principal component of the features.

    $$L = \bar A v, \qquad \bar A = A - \frac{1}{Z} \sum_p A_p$$

    and $v$ the eigenvector of the largest eigenvalue of $\bar A^\top \bar A$, of the
    sign that gives $\langle L, \sum_k A^k \rangle \ge 0$. Found from the smaller one of
    $\bar A^\top \bar A$ and $\bar A \bar A^\top$, of channels or of positions.

    Args:
        features: $A$, channels last.
        gradients: Not used: this is no map of a class.

    Returns:
        A map of the shape of `features` without its channels.

    Example:
        >>> features = jnp.array([[1.0, 2.0], [4.0, 6.0]])
        >>> reducers.eigen_cam(features, jnp.zeros((2, 2)))
        Array([-2.5, 2.5], dtype=float32)
    """
    return _first_component(features)


@widened
def eigen_grad_cam(features: Array, gradients: Array) -> Array:
    r"""The first principal component of the features times their gradients.

    $$L = \bar E v, \qquad E = A \odot G, \qquad \bar E = E - \frac{1}{Z} \sum_p E_p$$

    with $v$ as in `eigen_cam`, of the sign that gives
    $\langle L, \sum_k A^k \odot G^k \rangle \ge 0$: positive where the evidence is.

    Args:
        features: $A$, channels last.
        gradients: $G$, of the same shape.

    Returns:
        A map of the shape of `features` without its channels.

    Example:
        >>> features = jnp.array([[1.0, 2.0], [4.0, 6.0]])
        >>> reducers.eigen_grad_cam(features, jnp.array([[1.0, 1.0], [-1.0, -1.0]]))
        Array([ 4.7, -4.7], dtype=float32)
    """
    return _first_component(features * gradients)


def _first_component(values: Array) -> Array:
    rows = values.reshape(-1, values.shape[-1])
    rows = rows - jnp.mean(rows, 0, keepdims=True)
    # The map is as large as its rows, so they may be rescaled: squares of 1e-25 vanish.
    size = jax.lax.stop_gradient(jnp.max(jnp.abs(rows)))
    size = jnp.where(size > 0, size, 1)
    rows = rows / size
    if rows.shape[0] < rows.shape[1]:
        of_positions = _matmul(rows, rows.T)
        u = _leading_eigenvector(of_positions)
        square = _matmul(u, _matmul(of_positions, u))
        alive = square > 0
        component = u * jnp.where(alive, jnp.sqrt(jnp.where(alive, square, 1)), 0)
    else:
        component = _matmul(rows, _leading_eigenvector(_matmul(rows.T, rows)))
    against = jnp.sum(component * jnp.sum(rows, -1)) < 0
    component = size * jnp.where(against, -component, component)
    return component.reshape(values.shape[:-1])


# Squares lose half of the digits; the fast products of some devices, more.
_matmul = functools.partial(jnp.matmul, precision="highest")


@jax.custom_jvp
def _leading_eigenvector(gram: Array) -> Array:
    """That of the largest eigenvalue, of length 1.

    `eigh` itself differentiates all of them, which is NaN where any two eigenvalues
    are equal, as those of dead channels are.
    """
    return jnp.linalg.eigh(gram)[1][:, -1]


@_leading_eigenvector.defjvp
def _leading_eigenvector_jvp(
    primals: tuple[Array], tangents: tuple[Array]
) -> tuple[Array, Array]:
    (gram,), (change,) = primals, tangents
    values, vectors = jnp.linalg.eigh(gram)
    leading, gap = vectors[:, -1], values[-1] - values
    inverse = jnp.where(gap > 0, 1 / jnp.where(gap > 0, gap, 1), 0)
    moved = _matmul(vectors.T, _matmul(change, leading))
    return leading, _matmul(vectors, inverse * moved)
