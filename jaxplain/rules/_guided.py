"""ReLUs that pass back positive gradients: guided backpropagation, deconvolution."""

from collections.abc import Callable, Collection
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import JaxprEqn, Literal
from jax.extend.core import primitives as P
from jaxtyping import Array

from .. import _jaxpr
from .._types import ScalarFn, Ts, X
from ._rewrite import rewritten


def guided(f: ScalarFn[X, *Ts]) -> ScalarFn[X, *Ts]:
    r"""`f`, whose ReLUs pass back positive gradients only, and only where they are on.

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

    Raises:
        NotImplementedError: If a ReLU is inside `jax.shard_map`: apply the rule there.

    Example:
        >>> f = lambda x: jax.nn.relu(x[0]) - jax.nn.relu(x[1])
        >>> jax.grad(guided(f))(jnp.array([2.0, 3.0]))
        Array([1., 0.], dtype=float32)

    References:
        Springenberg, Dosovitskiy, Brox and Riedmiller (2015), *Striving for
        Simplicity*, arXiv:1412.6806, section 3.4.
        Adebayo et al. (2018), *Sanity Checks for Saliency Maps*, arXiv:1810.03292.
    """

    return _with_relus(f, _guided_relu)


def deconvolution(f: ScalarFn[X, *Ts]) -> ScalarFn[X, *Ts]:
    r"""`f`, whose ReLUs pass back positive gradients, wherever they are.

    $$\frac{\partial f}{\partial x} \to
    \max\left(\frac{\partial f}{\partial y}, 0\right)
    \quad \text{at every} \quad y = \max(x, 0)$$

    Deconvolution is `saliency(deconvolution(f))`. The ReLU is applied to what flows
    back, and forgets whether it was on, so of the input only the switches of
    max pooling are left: for a network without them, the map is the same for every
    input (Nie et al., 2018). A ReLU is what `guided` takes for one.

    Args:
        f: Function to rewrite.

    Returns:
        A function of the same arguments and the same value.

    Raises:
        NotImplementedError: If a ReLU is inside `jax.shard_map`: apply the rule there.

    Example:
        >>> f = lambda x: jax.nn.relu(x[0]) - jax.nn.relu(x[1])
        >>> jax.grad(deconvolution(f))(jnp.array([-2.0, 3.0]))
        Array([1., 0.], dtype=float32)

    References:
        Zeiler and Fergus (2014), *Visualizing and Understanding Convolutional
        Networks*, arXiv:1311.2901, section 2.1.
        Nie, Zhang and Patel (2018), *A Theoretical Explanation for Perplexing Behaviors
        of Backpropagation-based Visualizations*, arXiv:1805.07039.
    """
    return _with_relus(f, _deconvolved_relu)


def _with_relus(
    f: ScalarFn[X, *Ts], relu: Callable[[Array], Array]
) -> ScalarFn[X, *Ts]:
    def replace(eqn: JaxprEqn) -> Callable[..., Array] | None:
        if eqn.primitive.name == "shard_map" and _hides_relu(eqn):
            raise NotImplementedError(
                "`f` has a ReLU inside `jax.shard_map`, which cannot be opened, so it "
                "would keep its ordinary gradient. Apply the rule inside, to the "
                "function that `jax.shard_map` runs."
            )
        return (lambda x, *_: relu(x)) if _is_relu(eqn) else None

    # `jax.nn.relu` is replaced whole; any other custom derivative is the user's own.
    return rewritten(f, replace, open_custom=False)


def _hides_relu(eqn: JaxprEqn) -> bool:
    """Is there a ReLU somewhere inside?"""
    bodies = [*_jaxpr.bodies(eqn), *_jaxpr.hidden_bodies(eqn)]
    inside = [e for body in bodies for e in body.jaxpr.eqns]
    return any(_is_relu(e) or _hides_relu(e) for e in inside)


def _is_relu(eqn: JaxprEqn, zeros: Collection[Any] = ()) -> bool:
    """Is this `max(x, 0)`, however many calls it is wrapped in?

    Not `max(0, x)`: that is how normalisation layers keep a variance from being
    negative. `zeros` are variables that are known to be zero.
    """
    body = _jaxpr.call_body(eqn)
    if body is not None:
        # Under `jax.shard_map` the zero is told first that it varies over the mesh.
        casts = [e for e in body.jaxpr.eqns if e.primitive.name in ("pvary", "pcast")]
        zeros = [e.outvars[0] for e in casts if _is_zero(e.invars[0])]
        inner = [e for e in body.jaxpr.eqns if e.outvars[0] not in zeros]
        return (
            len(inner) == len(eqn.invars) == 1
            and body.jaxpr.outvars == inner[0].outvars
            and _is_relu(inner[0], zeros)
        )
    if eqn.primitive is not P.max_p:
        return False
    x, zero = eqn.invars
    return (_is_zero(zero) or zero in zeros) and not isinstance(x, Literal)


def _is_zero(atom: Any) -> bool:
    return isinstance(atom, Literal) and np.ndim(atom.val) == 0 and atom.val == 0


def _relu(x: Array) -> Array:
    return jnp.maximum(x, jnp.zeros((), x.dtype))


_guided_relu = jax.custom_vjp(_relu)
_deconvolved_relu = jax.custom_vjp(_relu)

# Forward it is `_relu`: the derivative of a guided gradient is an ordinary one.
_guided_relu.defvjp(
    lambda x: (_relu(x), x > 0),
    lambda on, gradient: (jnp.where(on, _relu(gradient), jnp.zeros_like(gradient)),),
)
_deconvolved_relu.defvjp(
    lambda x: (_relu(x), None), lambda _, gradient: (_relu(gradient),)
)
