"""The path from a blurred image to a sharp one."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, PyTree

from .. import _checks, _tree
from .._quadrature import Rule
from .._types import Explainer, ScalarFn, Ts, X
from . import _valid
from ._along import along


def blur_ig(
    f: ScalarFn[X, *Ts],
    *,
    max_sigma: float = 50.0,
    steps: int = 100,
    rule: Rule = "gauss_legendre",
    chunk_size: int | None = None,
) -> Explainer[X, *Ts]:
    r"""Integrate the gradient while a blurred input becomes sharp.

    $$\phi(x) = \int_{\sigma_{\max}}^0 \nabla f(L_\sigma x) \odot
    \frac{\partial L_\sigma x}{\partial \sigma} \, d\sigma$$

    $L_\sigma x$ is `blur(x, sigma=...)`. Complete: the attributions sum to `f(x)` less
    `f` of the most blurred input, up to the error of the rule. There is no baseline,
    so nothing enters that the input does not hold, such as black. The derivative is
    exact. With $\sigma = \sigma_{\max} (1 - t)^3$, nodes are denser where the input is
    sharp, because it changes most there.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        max_sigma: Standard deviation of the strongest blur, in pixels or time steps.
        steps: Number of nodes on the path; the trapezoid needs two.
        rule: One of the rules of `integrated_gradients`.
        chunk_size: Number of nodes evaluated at once; all of them by default.
            Peak memory follows it.

    Returns:
        `explain(x, *args)`, shaped like `x`, in the units of `f`. All axes of `x` but
        the last, which holds channels, are blurred. Costs `steps` gradients.

    Raises:
        ValueError: If an option is out of range, `f` does not return a scalar, or `x`
            is empty or has no axis beside its channels.
        TypeError: If `x` holds integers.

    Example:
        >>> spike = jnp.zeros((5, 1)).at[2].set(1.0)
        >>> explain = blur_ig(lambda x: x[2, 0] ** 2, max_sigma=2.0)
        >>> explain(spike).ravel()
        Array([0. , 0. , 0.94, 0. , 0. ], dtype=float32)

    References:
        Xu, Venugopalan and Sundararajan (2020), *Attribution in Scale and Space*,
        arXiv:2004.03383, equation 7.
    """
    _checks.positive("max_sigma", max_sigma)

    def sharpen(t: Array, x: PyTree, _: PyTree) -> PyTree:
        sigma = max_sigma * (1 - t) ** 3
        return jax.tree.map(lambda leaf: _blurred(leaf, sigma), x)

    integrate = along(f, sharpen, steps=steps, rule=rule, chunk_size=chunk_size)

    def explain(x: X, /, *args: *Ts) -> X:
        return integrate(_valid.spatial(_checks.inputs(x)), *args, baseline=0.0)

    return explain


def blur(x: X, *, sigma: ArrayLike) -> X:
    r"""Blur all axes but the last, which holds channels, by a Gaussian.

    $$(L_\sigma x)_i = \sum_j \frac{e^{-(i - j)^2 / 2 \sigma^2}}
    {\sum_k e^{-(i - k)^2 / 2 \sigma^2}} \, x_j$$

    Along each axis. Weights that would fall outside go to the pixels inside, so a
    constant stays what it is. A baseline for any explainer, and the start of `blur_ig`.
    Costs one product with a square matrix per axis.

    Args:
        x: Arrays with channels last, such as `(height, width, channels)` or
            `(time, channels)`.
        sigma: Standard deviation in pixels or time steps. It may be traced and
            differentiated. At 0 nothing is blurred.

    Returns:
        The blurred `x`.

    Raises:
        ValueError: If `x` is empty or has no axis beside its channels, or `sigma` is
            not a scalar, or is negative where it is not traced.
        TypeError: If `x` holds integers.

    Example:
        >>> blur(jnp.array([[0.0], [1.0], [0.0]]), sigma=1.0).round(2).ravel()
        Array([0.35, 0.45, 0.35], dtype=float32)

    References:
        Xu, Venugopalan and Sundararajan (2020), arXiv:2004.03383, section 3.
    """

    _valid.sigma(sigma)

    def one(leaf: Array) -> Array:
        wide = leaf.astype(_tree.accumulator(leaf.dtype))
        return _blurred(wide, jnp.asarray(sigma, wide.dtype)).astype(leaf.dtype)

    return jax.tree.map(one, _valid.spatial(_checks.inputs(x)))


def _blurred(x: Array, sigma: Array) -> Array:
    for axis in range(x.ndim - 1):
        weights = _gaussian(x.shape[axis], sigma)
        product = jnp.tensordot(weights, x, (1, axis), precision="highest")
        x = jnp.moveaxis(product, 0, axis)
    return x


def _gaussian(size: int, sigma: Array) -> Float[Array, "size size"]:
    """One blurred pixel per row; the identity if `sigma` is 0."""
    distance = np.subtract.outer(np.arange(size), np.arange(size))
    squares = jnp.asarray(distance**2, sigma.dtype)
    # Below it the weight of a neighbour is 0 in float64 too.
    sigma = jnp.maximum(sigma, 0.02)
    return jax.nn.softmax(-squares / (2 * sigma**2), axis=-1)
