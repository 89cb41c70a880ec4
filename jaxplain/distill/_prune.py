"""Weights that are small, set to zero."""

from typing import Generic, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from .. import _checks, _tree
from .._types import X


class Pruned(NamedTuple, Generic[X]):
    """Parameters without their smallest weights.

    Attributes:
        params: The parameters, with zeros in place of what is gone.
        masks: What is left, as booleans of the shapes of the parameters. Multiply by
            them in the loss to train further without what is gone.
    """

    params: X
    masks: PyTree


def prune(params: X, /, *, sparsity: float) -> Pruned[X]:
    r"""Set the smallest weights of all layers together to zero.

    $$\theta_j \leftarrow \theta_j \, [\, |\theta_j| > q \,]$$

    The threshold $q$ is one for all leaves with two axes or more; biases and scales,
    which have fewer, stay. Exactly the given share of the weights is set to zero,
    rounded to whole weights; among equal ones, those that come first.

    Args:
        params: Any pytree of floating-point arrays.
        sparsity: Share of the weights to set to zero, from 0 to 1.

    Returns:
        The parameters, and the masks of what is left.

    Raises:
        ValueError: If `sparsity` is not from 0 to 1, or no leaf has two axes.
        TypeError: If `sparsity` is no number.

    Example:
        >>> kernel = jnp.array([[3.0, -1.0], [0.5, 2.0]])
        >>> from jaxplain import distill
        >>> distill.prune({"kernel": kernel}, sparsity=0.5).params["kernel"]
        Array([[3., 0.],
               [0., 2.]], dtype=float32)

    References:
        Han, Pool, Tran and Dally (2015), *Learning both Weights and Connections for
        Efficient Neural Networks*, arXiv:1506.02626, section 3.
    """
    _checks.positive("sparsity", sparsity, zero=True)
    if sparsity > 1:
        raise ValueError(
            f"`sparsity` must be a share from 0 to 1, but is {sparsity}. Divide "
            "percentages by 100."
        )
    leaves, treedef = jax.tree.flatten(params)
    leaves = [jnp.asarray(leaf) for leaf in leaves]
    heavy = [i for i, leaf in enumerate(leaves) if leaf.ndim > 1]
    if not heavy:
        shapes = [leaf.shape for leaf in leaves]
        raise ValueError(
            "`params` must hold an array with two axes or more, but holds shapes "
            f"{shapes}. Biases and scales are not pruned."
        )
    wide = _tree.widest([leaves[i] for i in heavy])
    size = jnp.concatenate([jnp.abs(leaves[i]).astype(wide).ravel() for i in heavy])
    gone = round(sparsity * size.size)
    order = jnp.argsort(size, stable=True)
    kept = jnp.zeros(size.size, bool).at[order].set(jnp.arange(size.size) >= gone)
    bounds = np.cumsum([leaves[i].size for i in heavy])
    masks = [jnp.ones(leaf.shape, bool) for leaf in leaves]
    for i, part in zip(heavy, jnp.split(kept, bounds[:-1]), strict=True):
        masks[i] = part.reshape(leaves[i].shape)
    left: list[Array] = [
        jnp.where(mask, leaf, 0) for mask, leaf in zip(masks, leaves, strict=True)
    ]
    return Pruned(treedef.unflatten(left), treedef.unflatten(masks))
