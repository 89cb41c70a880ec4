"""Penalties on an attribution, of any explainer."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .. import _checks, _tree
from .._types import Scalar


def total_variation(
    attribution: Float[ArrayLike, "..."], *, axes: Sequence[int] | None = None
) -> Scalar:
    r"""How much neighbours differ in their attribution.

    $$\Omega(\phi) = \sum_{\text{axes}} \sum_p |\phi_{p + e} - \phi_p|$$

    As a penalty, it prefers maps in one piece: neighbouring pixels of a picture, or
    steps of a series, should matter alike.

    Args:
        attribution: One array.
        axes: Axes of space or time; by default all but the last, which holds channels,
            or the only one. For a picture without channels, take `(0, 1)`.

    Returns:
        The sum of the absolute differences.

    Raises:
        ValueError: If `attribution` has no axis, or `axes` names one that it has not,
            or one twice.
        TypeError: If `attribution` holds integers, or is not one array.

    Example:
        >>> jx.priors.total_variation(jnp.array([0.0, 2.0, 1.0]))
        Array(3., dtype=float32)

    References:
        Erion, Janizek, Sturmfels, Lundberg and Lee (2021), *Improving Performance of
        Deep Learning Models with Axiomatic Attribution Priors and Expected Gradients*,
        arXiv:1906.10670, on the pixel attribution prior.
    """
    a = _array(attribution)
    chosen = tuple(range(max(a.ndim - 1, 1))) if axes is None else tuple(axes)
    inside = a.ndim > 0 and all(-a.ndim <= axis < a.ndim for axis in chosen)
    if not inside or len({axis % a.ndim for axis in chosen}) < len(chosen):
        raise ValueError(
            "`axes` must be different axes of `attribution`, which is "
            f"{_checks.show(a)}, but are {chosen}. Pass those of space or time, for "
            "example `axes=(0, 1)`."
        )
    differences = [jnp.abs(jnp.diff(a, axis=axis)).sum() for axis in chosen]
    return sum(differences, jnp.zeros((), a.dtype))


def sparsity(attribution: Float[ArrayLike, "..."]) -> Scalar:
    r"""How evenly importance is spread: minus the Gini coefficient, twice.

    $$\Omega(\phi) = -\frac{\sum_i \sum_j \big| |\phi_i| - |\phi_j| \big|}
    {n \sum_i |\phi_i|}$$

    0 where all entries matter alike, and towards -2 where one of many does; 0 also
    where none does. It does not change when the attribution is scaled. As a penalty,
    it lets few features matter, without making them weak as an L1 norm would. The
    paper takes the mean of the absolute attributions over a data set, so that the same
    features matter everywhere.

    Args:
        attribution: One array; every entry counts alike.

    Returns:
        A number from -2 to 0.

    Raises:
        TypeError: If `attribution` holds integers, or is not one array.

    Example:
        >>> jx.priors.sparsity(jnp.array([0.0, 0.0, -3.0, 0.0]))
        Array(-1.5, dtype=float32)

    References:
        Erion, Janizek, Sturmfels, Lundberg and Lee (2021), arXiv:1906.10670, on the
        sparse attribution prior.
    """
    size = jnp.sort(jnp.abs(_array(attribution)).ravel())
    # The scale does not count, so neither does it in the slope; without it, sums and
    # squares stay within the range of the dtype.
    top = jax.lax.stop_gradient(size.max(initial=0))
    size = size / jnp.where(top > 0, top, 1)
    n = size.size
    # Of all pairs, entry i of the ascending order is the larger in i, the smaller in
    # the others: no table of pairs.
    rank = 2 * jnp.arange(n, dtype=size.dtype) - (n - 1)
    total = size.sum()
    some = total > 0
    return -2 * (rank * size).sum() / jnp.where(some, n * total, 1)


def graph_laplacian(
    attribution: Float[ArrayLike, "..."], laplacian: Float[ArrayLike, "n n"]
) -> Scalar:
    r"""How much features differ in importance that a graph connects.

    $$\Omega(\phi) = \phi^\top L \, \phi
    = \tfrac12 \sum_i \sum_j W_{ij} (\phi_i - \phi_j)^2, \qquad L = D - W$$

    As a penalty, it lets features matter alike that belong together, such as genes
    that interact. The paper takes the mean of the absolute attributions over a data
    set.

    Args:
        attribution: One array of $n$ entries.
        laplacian: Degrees on the diagonal less the weights of the edges: of a symmetric
            `W`, `jnp.diag(W.sum(1)) - W`.

    Returns:
        The quadratic form.

    Raises:
        ValueError: If `laplacian` is not square with a row per entry.
        TypeError: If `attribution` holds integers, or is not one array.

    Example:
        >>> path = jnp.array([[1.0, -1.0, 0.0], [-1.0, 2.0, -1.0], [0.0, -1.0, 1.0]])
        >>> jx.priors.graph_laplacian(jnp.array([0.0, 2.0, 1.0]), path)
        Array(5., dtype=float32)

    References:
        Erion, Janizek, Sturmfels, Lundberg and Lee (2021), arXiv:1906.10670, on the
        graph attribution prior.
    """
    phi = _array(attribution).ravel()
    graph = jnp.asarray(laplacian)
    if graph.shape != (phi.size, phi.size):
        raise ValueError(
            f"`laplacian` must have a row and a column for each of the {phi.size} "
            f"entries of `attribution`, but has shape {graph.shape}. Leave out the "
            "features that are not explained."
        )
    weighted = jnp.matmul(graph.astype(phi.dtype), phi, precision="highest")
    return jnp.dot(phi, weighted, precision="highest")


def _array(attribution: ArrayLike) -> Array:
    """One array of floating-point numbers, in the dtype to sum it in."""
    if jax.tree.structure(attribution) != jax.tree.structure(0):
        raise TypeError(
            "`attribution` must be one array, but is "
            f"{jax.tree.structure(attribution)}. Add up the penalties of its leaves."
        )
    a = jnp.asarray(attribution)
    if not jnp.issubdtype(a.dtype, jnp.floating):
        raise TypeError(
            f"`attribution` must be floating-point, but is {_checks.show(a)}. Pass "
            "what an explainer returns."
        )
    return a.astype(_tree.accumulator(a.dtype))
