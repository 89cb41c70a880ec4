"""Does an explanation change where only the writing of the input does?"""

from collections.abc import Callable
from typing import Any, Protocol

import jax
import jax.numpy as jnp
from jaxtyping import ArrayLike, PyTree

from .. import _checks, _tree
from .._types import REQUIRED, Explains, Scalar, ScalarFn, Ts, X, X_contra
from ._sensitivity import relative_change


class Shifted(Protocol[X_contra, *Ts]):
    """`measure(x, *args, shift, **refs)`, a scalar."""

    def __call__(
        self, x: X_contra, /, *args: *Ts, shift: X_contra | ArrayLike, **refs: Any
    ) -> Scalar: ...


def input_invariance(
    f: ScalarFn[X, *Ts], *, make: Callable[[Any], Explains[Any]]
) -> Shifted[X, *Ts]:
    r"""How far an explanation moves when a shift of the input is undone by the model.

    $$\frac{\lVert \phi_{f'}(x + s) - \phi_f(x) \rVert}{\lVert \phi_f(x) \rVert},
    \qquad f'(x) = f(x - s)$$

    The two models are the same, with another bias in the first layer. Gradients do not
    move. What multiplies by the input does, and so does what compares it with a fixed
    baseline, which means something else after the shift; with a baseline that follows
    the input, such as a blurred one, integrated gradients stay. So it measures a choice
    more than a fault. Lower is more invariant.

    Args:
        f: Function to explain.
        make: `make(f)` returns the explainer, such as `jaxplain.saliency`.

    Returns:
        `measure(x, *args, shift, **refs)`, a scalar. The shift is any prefix of `x`;
        the `refs` go to both explanations. Costs two explanations.

    Raises:
        ValueError: If `shift` does not fit `x`.
        TypeError: If `x` holds integers, or `shift` is missing.

    Example:
        >>> f, x = lambda x: (x**2).sum(), jnp.array([3.0, 4.0])
        >>> input_invariance(f, make=saliency)(x, shift=1.0)
        Array(0., dtype=float32)
        >>> input_invariance(f, make=input_x_gradient)(x, shift=1.0).round(2)
        Array(0.27, dtype=float32)

    References:
        Kindermans et al. (2019), *The (Un)reliability of Saliency Methods*,
        arXiv:1711.00867, section 2.
    """

    def measure(
        x: X, /, *args: *Ts, shift: X | ArrayLike = REQUIRED, **refs: Any
    ) -> Scalar:
        x = _checks.inputs(x)
        step = _step(shift, x)

        def moved(x: X, /, *args: *Ts) -> Any:
            return f(jax.tree.map(jnp.subtract, x, step), *args)

        there = jax.tree.map(jnp.add, x, step)
        own = make(f)(x, *args, **refs)
        return relative_change(own, make(moved)(there, *args, **refs))

    return measure


def _step(shift: Any, x: PyTree) -> PyTree:
    if shift is None:
        raise TypeError(
            "`shift` is missing: say what is added to every input, for example "
            "`shift=1.0`."
        )
    try:
        return _tree.map_prefix(
            lambda s, leaf: jnp.broadcast_to(jnp.asarray(s, leaf.dtype), leaf.shape),
            shift,
            x,
        )
    except ValueError:
        raise ValueError(
            f"`shift` must broadcast to `x`, which is {jax.tree.map(_checks.show, x)}, "
            f"but is {jax.tree.map(_checks.describe, shift)}. Pass a number, or an "
            "array of the shape of `x`."
        ) from None
