"""The same function, with some of its equations replaced."""

import functools
from collections.abc import Callable
from typing import Any

from jax.extend.core import JaxprEqn

from .. import _jaxpr
from .._types import ScalarFn, Ts, X


def rewrite(
    f: ScalarFn[X, *Ts], replace: Callable[[JaxprEqn], Callable[..., Any] | None]
) -> ScalarFn[X, *Ts]:
    """`f`, with some of its equations replaced.

    The replacement may have a derivative of its own (`jax.custom_vjp`), and must
    return what the equation returns. It reaches into `jax.jit`, `jax.checkpoint`,
    `jax.lax.scan`, `cond` and `while_loop`, and into functions with custom derivatives.

    Args:
        f: Function to rewrite.
        replace: From an equation of the program to the function of its operands that
            stands in for it, or to None to keep it. An equation is asked for before
            those inside it, so that a jitted function can be replaced whole.

    Returns:
        A function of the same arguments.

    Raises:
        ValueError: If a replacement returns other shapes or dtypes than its equation.

    Example:
        A straight-through estimator: rounding, with the gradient of the identity.

        >>> def straight_through(eqn):
        ...     if eqn.primitive.name == "round":
        ...         return lambda x: x + jax.lax.stop_gradient(jnp.round(x) - x)
        >>> f = lambda x: jnp.round(3.0 * x)
        >>> g = rewrite(f, straight_through)
        >>> x = jnp.array(0.5, jnp.float32)
        >>> g(x), jax.grad(f)(x), jax.grad(g)(x)
        (Array(2., dtype=float32), Array(0., dtype=float32), Array(3., dtype=float32))
    """

    return rewritten(f, replace, open_custom=True)


def rewritten(
    f: ScalarFn[X, *Ts],
    replace: Callable[[JaxprEqn], Callable[..., Any] | None],
    *,
    open_custom: bool,
) -> ScalarFn[X, *Ts]:
    @functools.wraps(f)
    def run(x: X, /, *args: *Ts) -> Any:
        closed, leaves, shape = _jaxpr.trace(f, x, *args)
        out = _jaxpr.interpret(closed, leaves, replace, open_custom=open_custom)
        return _jaxpr.unflatten_like(shape, out)

    return run
