"""How large a model is."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from .. import _checks
from ._linear import Linear
from ._logistic import Logistic
from ._plain_tree import Tree, depth_of
from ._soft_tree import SoftTree


class Size(NamedTuple):
    """How large a model is.

    Attributes:
        numbers: How many numbers it takes to write it down; zeros take none.
        leaves: Number of leaves: 1 for what is no tree.
        depth: Number of questions on the longest way to a leaf.
    """

    numbers: int
    leaves: int
    depth: int


def size(model: Any) -> Size:
    """The size of a simple model, or of the parameters of a network.

    Of a linear model, its weights and intercept count; of a tree, two numbers per split
    and the value of each leaf; of a soft tree, the weights and the bias of each node,
    and the value of each leaf; of anything else, all numbers of the pytree that are not
    0, so that pruning counts.

    Args:
        model: Concrete `Linear`, `Logistic`, `Tree`, `SoftTree`, or pytree of arrays.

    Returns:
        The `Size`, in Python numbers.

    Raises:
        ValueError: If the model is traced.

    Example:
        >>> size({"kernel": jnp.array([[1.0, 0.0], [2.0, 3.0]])})
        Size(numbers=3, leaves=1, depth=0)
    """
    if any(map(_checks.is_traced, jax.tree.leaves(model))):
        raise ValueError(
            "`model` must be concrete, but is traced: zeros cannot be counted. Call "
            "`size` outside of `jax.jit` and `jax.vmap`."
        )
    if isinstance(model, Linear | Logistic):
        return Size(_numbers((model.weights, model.intercept)), 1, 0)
    if isinstance(model, SoftTree):
        return Size(_numbers(model), len(model.value), depth_of(model))
    if isinstance(model, Tree):
        return _of_tree(model)
    return Size(_numbers(model), 1, 0)


def _numbers(tree: Any) -> int:
    return sum(int(np.count_nonzero(leaf)) for leaf in jax.tree.leaves(tree))


def _of_tree(model: Tree) -> Size:
    splits = np.asarray(model.feature) >= 0
    levels = np.floor(np.log2(np.arange(len(splits)) + 1)).astype(int)
    leaves = int(splits.sum()) + 1
    depth = int(levels[splits].max(initial=-1)) + 1
    values = leaves * int(jnp.size(model.value[0]))
    return Size(2 * int(splits.sum()) + values, leaves, depth)
