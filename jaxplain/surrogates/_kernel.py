"""How near a coalition is to the full one, and what it weighs for that."""

from collections.abc import Callable
from typing import Any, cast, get_args

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .. import _checks
from ._types import Distance

DISTANCES = get_args(get_args(Distance)[0])


def check(distance: Distance, width: float | None) -> None:
    if not callable(distance):
        _checks.choice("distance", distance, DISTANCES)
    if width is not None:
        _checks.positive("width", width)


def log_weight(
    distance: Distance, width: float | None, num_groups: int, dtype: Any
) -> Callable[[Array], Float[Array, ""]]:
    """A mask to the logarithm of its weight."""
    if not callable(distance):
        logs = log_weight_of_size(distance, width, num_groups)
        with np.errstate(over="ignore"):  # to -inf: the weight is 0
            table = jnp.asarray(logs, dtype)
        return lambda mask: table[mask.sum()]
    # A width of 0 in a narrow dtype would make the distance 0 of the input NaN.
    unit = max(1.0 if width is None else width, float(jnp.finfo(dtype).tiny))

    def of_mask(mask: Array) -> Float[Array, ""]:
        found = jnp.asarray(distance(mask.astype(dtype)))
        if found.shape != ():
            raise ValueError(
                "`distance` must map a mask to a scalar, but returns shape "
                f"{found.shape}. Reduce it over the features, for example by a sum."
            )
        return -((found.astype(dtype) / unit) ** 2) / 2

    return of_mask


def log_weight_of_size(
    distance: str, width: float | None, num_groups: int
) -> Float[np.ndarray, " sizes"]:
    """The logarithm of the weight of a coalition, for each size from 0 to all."""
    share = np.arange(num_groups + 1) / num_groups
    if distance == "cosine":
        found, default = 1 - np.sqrt(share), 0.25
    else:
        found, default = np.sqrt(num_groups * (1 - share)), 0.75 * num_groups**0.5
    with np.errstate(over="ignore"):  # the weight is 0
        return -((found / cast(float, default if width is None else width)) ** 2) / 2
