"""What all examples of a batch have in common."""

import jax
from jaxtyping import Array, Bool


@jax.custom_batching.custom_vmap
def everywhere(flag: Bool[Array, ""]) -> Bool[Array, ""]:
    """Is the flag set in every example that `vmap` maps over?

    The answer is not mapped, so `lax.cond` on it runs one branch and not both.
    """
    return flag


@everywhere.def_vmap
def _(size: int, mapped: list[bool], flag: Array) -> tuple[Array, bool]:
    return everywhere(flag.all(0)), False
