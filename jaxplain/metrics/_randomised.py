"""Parameters without what was learned."""

from typing import Any, Literal, get_args

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import PyTree

from .. import _checks, _tree
from .._types import PRNGKey

Method = Literal["permute", "redraw"]


def randomised(params: PyTree, key: PRNGKey, *, method: Method = "permute") -> PyTree:
    """Parameters with the same values, or moments, and without what was learned.

    Args:
        params: Parameters: any pytree. What is not floating-point stays.
        key: Random key.
        method: `"permute"` shuffles the entries of each array: all that bounds a single
            entry still holds, so variances stay positive; an array of equal entries
            stays as it is. `"redraw"` draws normal numbers of the array's own mean and
            standard deviation. Neither is the initialisation of the model, which only
            the model knows.

    Returns:
        A tree like `params`.

    Raises:
        ValueError: If `method` is neither of the two.
        TypeError: If `key` is no random key.

    Example:
        >>> randomised({"bias": jnp.arange(4.0)}, jax.random.key(1))
        {'bias': Array([1., 3., 2., 0.], dtype=float32)}
    """
    _checks.choice("method", method, get_args(Method))
    _checks.key(key, "randomised")
    leaves, treedef = jax.tree.flatten(params)

    def draw(leaf: Any, key: PRNGKey) -> Any:
        if not hasattr(leaf, "dtype") or not jnp.issubdtype(leaf.dtype, jnp.floating):
            return leaf
        if method == "permute":
            return jr.permutation(key, jnp.ravel(leaf)).reshape(leaf.shape)
        wide = jnp.asarray(leaf, _tree.accumulator(leaf.dtype))
        noise = jr.normal(key, leaf.shape, wide.dtype)
        return (wide.mean() + wide.std() * noise).astype(leaf.dtype)

    keys = [jr.fold_in(key, i) for i in range(len(leaves))]
    return treedef.unflatten(list(map(draw, leaves, keys)))


def like(params: Any, drawn: Any) -> Any:
    """Random parameters, where they fit."""
    shapes = [[jnp.shape(a) for a in jax.tree.leaves(tree)] for tree in (params, drawn)]
    if (
        jax.tree.structure(params) != jax.tree.structure(drawn)
        or shapes[0] != shapes[1]
    ):
        raise ValueError(
            "`randomise` must return parameters like `params`, "
            f"{jax.tree.map(_checks.describe, params)}, but returned "
            f"{jax.tree.map(_checks.describe, drawn)}. Keep structure and shapes."
        )
    return drawn
