"""Interactions of two features, as one integral along the line."""

import functools
from decimal import Decimal, localcontext

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, PyTree

from .. import _checks, _tree
from .._types import REQUIRED, ScalarFn, Ts, X
from . import _valid, _values
from ._types import Masked, Pairwise


def integrated_hessians(
    f: ScalarFn[X, *Ts], *, steps: int = 8, chunk_size: int | None = None
) -> Pairwise[X, *Ts]:
    r"""How much every two entries of the input contribute together.

    $$\Gamma_{ij}(x; b) = \delta_i \delta_j \int_0^1 (-u \ln u)\,
    \partial_{ij} f(b + u\,\delta) \, du
    + [i = j]\; \delta_i \int_0^1 (-\ln u)\, \partial_i f(b + u\,\delta) \, du$$

    with $\delta = x - b$: integrated gradients of integrated gradients. The double
    integral of the paper depends on the product of its variables alone, so it is one
    integral with a weight, which a Gauss rule of its own takes on. Complete: all
    entries sum to `f(x) - f(b)`, and each row to the integrated gradient of its
    feature. Symmetric. Exact for polynomials of degree `2 * steps`.

    The Hessian of a network of ReLUs is 0 where it exists: replace them by softplus.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        steps: Number of nodes on the line.
        chunk_size: Number of nodes evaluated at once; all of them by default.
            Peak memory follows it.

    Returns:
        `explain(x, *args, baseline)`, an array of shape `x.shape + x.shape`, in the
        units of `f`. The baseline may be a number, such as `0.0`. Costs `steps`
        Hessians, each as much as `x.size` gradients and more.

    Raises:
        ValueError: If `steps` is below 1, `f` does not return a scalar, `x` is empty,
            or `baseline` does not fit `x`.
        TypeError: If `x` is not one array, or holds integers, or `baseline` is missing.

    Example:
        >>> explain = integrated_hessians(lambda x: x[0] * x[1] + x[1])
        >>> explain(jnp.array([2.0, 3.0]), baseline=0.0)
        Array([[1.50, 1.50],
               [1.50, 4.50]], dtype=float32)

    References:
        Janizek, Sturmfels and Lee (2021), *Explaining Explanations: Axiomatic Feature
        Interactions for Deep Networks*, arXiv:2002.04138, equations 4 and 5.
    """
    twice, once = _weighted_rules(_checks.count("steps", steps))
    _checks.chunk_size(chunk_size)

    def explain(x: X, /, *args: *Ts, baseline: X | ArrayLike = REQUIRED) -> Array:
        array = _valid.one_array(_checks.inputs(x))
        start = _checks.baseline(baseline, array)
        delta = _values.flatten(_values.difference(array, start))
        gradient = jax.grad(lambda x: _checks.scalar(f)(x, *args))
        slopes = lambda point: _values.flatten(gradient(point)).astype(delta.dtype)

        def at_node(i: Array) -> tuple[Array, Array]:
            (u, w), (v, z) = (_at(rule, i, array) for rule in (twice, once))
            curvature = jax.vmap(_values.flatten)(
                jax.jacfwd(slopes)(_tree.lerp(start, array, u))
            )
            return w * curvature.astype(delta.dtype), z * slopes(
                _tree.lerp(start, array, v)
            )

        hessian, slope = _tree.mean_samples(at_node, steps, chunk_size, np.ones(steps))
        pairs = jnp.outer(delta, delta) * hessian + jnp.diag(delta * slope)
        return pairs.reshape(array.shape + array.shape).astype(array.dtype)

    return explain


def interactions_with(
    f: ScalarFn[X, *Ts], *, steps: int = 8, chunk_size: int | None = None
) -> Masked[X, *Ts]:
    r"""How much each feature contributes together with the features of a mask.

    $$\phi_i(x; b) = \sum_j \Gamma_{ij}(x; b)\, m_j$$

    A product with the matrix of `integrated_hessians`, which is never formed: so it
    fits images and pytrees. A mask of ones gives integrated gradients; a mask of one
    feature gives its row. Linear in the mask.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        steps: Number of nodes on the line.
        chunk_size: Number of nodes evaluated at once; all of them by default.
            Peak memory follows it.

    Returns:
        `explain(x, *args, baseline, mask)`, shaped like `x`, in the units of `f`.
        The baseline and the mask may be any prefix of `x`. Costs `steps` gradients and
        `steps` products with a Hessian, each about two gradients more.

    Raises:
        ValueError: If `steps` is below 1, `f` does not return a scalar, `x` is empty,
            or `baseline` or `mask` does not fit `x`.
        TypeError: If `x` holds integers, or `baseline` or `mask` is missing.

    Example:
        >>> explain = interactions_with(lambda x: x[0] * x[1] * x[2])
        >>> first = jnp.array([1.0, 0.0, 0.0])
        >>> explain(jnp.ones(3), baseline=0.0, mask=first)
        Array([0.11, 0.11, 0.11], dtype=float32)

    References:
        Janizek, Sturmfels and Lee (2021), arXiv:2002.04138, equations 4 and 5.
    """
    twice, once = _weighted_rules(_checks.count("steps", steps))
    _checks.chunk_size(chunk_size)

    def explain(
        x: X,
        /,
        *args: *Ts,
        baseline: X | ArrayLike = REQUIRED,
        mask: X | ArrayLike = REQUIRED,
    ) -> X:
        x = _checks.inputs(x)
        start = _checks.baseline(baseline, x)
        mask = _values.widen(_valid.mask(mask, x))
        delta = _values.difference(x, start)
        direction = _tree.cast_like(_tree.mul(delta, mask), x)
        gradient = jax.grad(lambda x: _checks.scalar(f)(x, *args))

        def at_node(i: Array) -> PyTree:
            (u, w), (v, z) = (_at(rule, i, x) for rule in (twice, once))
            point = _tree.lerp(start, x, u)
            _, curved = jax.jvp(gradient, (point,), (direction,))
            slope = gradient(_tree.lerp(start, x, v))
            return jax.tree.map(
                lambda c, s, m: (
                    w.astype(m.dtype) * c.astype(m.dtype)
                    + z.astype(m.dtype) * s.astype(m.dtype) * m
                ),
                curved,
                slope,
                mask,
            )

        mean = _tree.mean_samples(at_node, steps, chunk_size, np.ones(steps))
        return _tree.cast_like(_tree.mul(delta, mean), x)

    return explain


def _at(
    rule: tuple[np.ndarray, np.ndarray], i: Array, like: PyTree
) -> tuple[Array, Array]:
    nodes, weights = rule
    return _tree.constant(nodes, like)[i], _tree.constant(weights, like)[i]


@functools.lru_cache(32)
def _weighted_rules(steps: int) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    r"""Gauss rules on `[0, 1]` for the weights $-u \ln u$ and $-\ln u$."""
    with localcontext(prec=4 * steps + 30):
        return tuple(
            _gauss([1 / Decimal((k + power) ** 2) for k in range(2 * steps)])
            for power in (2, 1)
        )


def _gauss(moments: list[Decimal]) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights from the moments of a weight, by the Chebyshev algorithm.

    A node costs its moments some 1.5 digits, so a dozen would cost all of float64.
    """
    num = len(moments) // 2
    before, row = [Decimal(0)] * len(moments), list(moments)
    centres, links = [moments[1] / moments[0]], [Decimal(0)]
    for k in range(1, num):
        after = [
            row[j + 1] - centres[-1] * row[j] - links[-1] * before[j]
            if k <= j < len(moments) - k
            else Decimal(0)
            for j in range(len(moments))
        ]
        centres.append(after[k + 1] / after[k] - row[k] / row[k - 1])
        links.append(after[k] / row[k - 1])
        before, row = row, after
    off = np.sqrt(np.array(links[1:], np.float64))
    jacobi = np.diag(np.array(centres, np.float64)) + np.diag(off, 1) + np.diag(off, -1)
    nodes, vectors = np.linalg.eigh(jacobi)
    return nodes, float(moments[0]) * vectors[0] ** 2
