"""From groups back to the input."""

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike

from .. import _checks, _tree


def spread(values: ArrayLike, groups: ArrayLike) -> Array:
    """The value of each feature's group: a map of an attribution by groups.

    Every feature gets the whole value of its group, so the map sums to more than the
    values do: divide them by the sizes of the groups for a density.

    Args:
        values: One value per group, shape `(num_groups,)`.
        groups: Integer labels of any shape.

    Returns:
        Array of the shape of `groups` and the dtype of `values`, or
        floating-point where these are integers. A traced label that is
        out of range gives NaN.

    Raises:
        ValueError: If a concrete label is out of range, or `values` is no vector.

    Example:
        >>> spread(jnp.array([0.5, -1.0]), np.array([[0, 0], [1, 1]]))
        Array([[ 0.5,  0.5],
               [-1. , -1. ]], dtype=float32)
    """
    vector = jnp.asarray(values)
    if not jnp.issubdtype(vector.dtype, jnp.floating):
        vector = vector.astype(float)
    if vector.ndim != 1:
        raise ValueError(
            "`values` must have shape (num_groups,), but has shape "
            f"{vector.shape}. Map over attributions with `jax.vmap`."
        )
    _checks.label_range(groups, vector.shape[0])
    return _tree.pick(vector, groups)
