"""Examples around one."""

from typing import Any

import jax
import jax.random as jr
from jaxtyping import Array, PyTree

from .. import _checks, _tree
from .._types import REQUIRED, PRNGKey, X


def neighbourhood(x: X, /, *, std: Any, num_samples: int, key: PRNGKey = REQUIRED) -> X:
    r"""Examples around one, by Gaussian noise.

    $$x_i = x + s \odot \varepsilon_i, \qquad \varepsilon_i \sim \mathcal N(0, 1)$$

    What a simple model is fitted to where it is to explain one example. As the noise
    goes to 0, the weights of `linear` go to the gradient.

    Args:
        x: Example, any pytree of floating-point arrays.
        std: Standard deviation $s$ of the noise, in the units of `x`: any prefix of it,
            such as one number, or one per column.
        num_samples: Number of examples.
        key: Random key; the same one gives the same examples.

    Returns:
        A stack of examples, in the dtype of `x`: the first axis counts them.

    Raises:
        ValueError: If `std` is negative or does not fit `x`, or `num_samples` is
            below 1.
        TypeError: If `x` holds integers, or `key` is missing.

    Example:
        >>> x = jnp.array([1.0, 20.0])
        >>> std = jnp.array([0.1, 5.0])
        >>> neighbourhood(x, std=std, num_samples=100, key=jax.random.key(0)).shape
        (100, 2)
    """
    _checks.key(key, "neighbourhood")
    number = _checks.count("num_samples", num_samples)
    x = _checks.inputs(x)
    spread = _checks.spread_of_noise(std, x)
    leaves, treedef = jax.tree.flatten(x)
    keys = treedef.unflatten(list(jr.split(key, len(leaves))))

    def draw(leaf: Array, scale: Array, key: PRNGKey) -> Array:
        noise = jr.normal(key, (number, *leaf.shape), _tree.accumulator(leaf.dtype))
        wide = lambda a: a.astype(noise.dtype)[None]
        return (wide(leaf) + wide(scale) * noise).astype(leaf.dtype)

    stack: PyTree = jax.tree.map(draw, x, spread, keys)
    return stack
