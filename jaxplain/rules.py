"""Rules: the same function, with another gradient.

A rule belongs to an equation of the traced program, not to a module, so it reaches
activations that are inline, shared, or inside a scan.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import JaxprEqn, Literal
from jax.extend.core import primitives as P
from jaxtyping import Array

from . import _jaxpr
from ._types import ScalarFn, Ts, X


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

    return _rewritten(f, replace, open_custom=True)


def _rewritten(
    f: ScalarFn[X, *Ts],
    replace: Callable[[JaxprEqn], Callable[..., Any] | None],
    *,
    open_custom: bool,
) -> ScalarFn[X, *Ts]:
    @functools.wraps(f)
    def rewritten(x: X, /, *args: *Ts) -> Any:
        closed, leaves, shape = _jaxpr.trace(f, x, *args)
        out = _jaxpr.interpret(closed, leaves, replace, open_custom=open_custom)
        return _jaxpr.unflatten_like(shape, out)

    return rewritten


def guided(f: ScalarFn[X, *Ts]) -> ScalarFn[X, *Ts]:
    r"""`f`, whose ReLUs pass back positive gradients only.

    $$\frac{\partial f}{\partial x} \to
    \mathbb{1}[x > 0] \, \max\left(\frac{\partial f}{\partial y}, 0\right)
    \quad \text{at every} \quad y = \max(x, 0)$$

    Guided backpropagation is `saliency(guided(f))`. Sharp to look at, but it hardly
    depends on the class or on the weights of higher layers (Adebayo et al., 2018):
    do not take it for evidence. A ReLU is `jax.nn.relu`, or a maximum with a literal
    zero on the right, as in `jax.numpy.maximum(x, 0)`; so `jax.nn.celu`, which is
    written with one, holds a ReLU too. Everything else keeps its gradient, and so does
    a function with a derivative of its own.

    Args:
        f: Function to rewrite.

    Returns:
        A function of the same arguments and the same value.

    Example:
        >>> f = lambda x: jax.nn.relu(x[0]) - jax.nn.relu(x[1])
        >>> jax.grad(guided(f))(jnp.array([2.0, 3.0]))
        Array([1., 0.], dtype=float32)

    References:
        Springenberg, Dosovitskiy, Brox and Riedmiller (2015), *Striving for
        Simplicity*, arXiv:1412.6806, section 3.4.
        Adebayo et al. (2018), *Sanity Checks for Saliency Maps*, arXiv:1810.03292.
    """

    def replace(eqn: JaxprEqn) -> Callable[..., Array] | None:
        return (lambda x, *_: _guided_relu(x)) if _is_relu(eqn) else None

    # `jax.nn.relu` is replaced whole; any other custom derivative is the user's own.
    return _rewritten(f, replace, open_custom=False)


def _is_relu(eqn: JaxprEqn) -> bool:
    """Is this `max(x, 0)`, however many calls it is wrapped in?

    Not `max(0, x)`: that is how normalisation layers keep a variance from being
    negative.
    """
    body = _jaxpr.call_body(eqn)
    if body is not None:
        inner = body.jaxpr.eqns
        return (
            len(inner) == len(eqn.invars) == 1
            and body.jaxpr.outvars == inner[0].outvars
            and _is_relu(inner[0])
        )
    if eqn.primitive is not P.max_p:
        return False
    x, zero = eqn.invars
    is_zero = isinstance(zero, Literal) and np.ndim(zero.val) == 0 and zero.val == 0
    return is_zero and not isinstance(x, Literal)


@jax.custom_vjp
def _guided_relu(x: Array) -> Array:
    return jnp.maximum(x, jnp.zeros((), x.dtype))


def _forward(x: Array) -> tuple[Array, Array]:
    # Not `_guided_relu` again: the derivative of a guided gradient is an ordinary one.
    return jnp.maximum(x, jnp.zeros((), x.dtype)), x > 0


def _backward(on: Array, gradient: Array) -> tuple[Array]:
    return (jnp.where(on & (gradient > 0), gradient, jnp.zeros_like(gradient)),)


_guided_relu.defvjp(_forward, _backward)
