"""Equations that are replaced on one platform, and kept on all others."""

from collections.abc import Callable
from typing import Any

from jax import lax
from jax.extend.core import JaxprEqn

from . import _jaxpr


def on_cpu(replace: _jaxpr.Replace) -> _jaxpr.Replace:
    """`replace`, where the program is compiled for a CPU.

    JAX knows that when it lowers the program, not while it traces: think of
    `jax.export`, or of a CPU beside an accelerator. It then keeps one branch, so that
    the compiler sees no choice. A choice that was made before is left alone.
    """

    def choose(eqn: JaxprEqn) -> Callable[..., Any] | None:
        plain = lambda *values: _jaxpr.bind(eqn, values)
        if "branches_platforms" in eqn.params:
            return plain
        fast = replace(eqn)
        if fast is None:
            return None
        listed = lambda *values: [fast(*values)]
        return lambda *values: lax.platform_dependent(
            *values, cpu=listed, default=plain
        )

    return choose
