"""What each step of a recurrent network takes from its own input."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree

from .. import _checks, _quadrature, _tree
from .._quadrature import Rule
from .._types import REQUIRED, Explains
from . import _valid


def last_step(
    step: Callable[..., tuple[Any, Any]],
    *,
    in_axes: Sequence[int | None] | None = None,
    steps: int = 32,
    rule: Rule = "gauss_legendre",
    chunk_size: int | None = None,
) -> Explains[PyTree]:
    r"""Integrated gradients of the output at every step, at the input of that step.

    $$\phi_t = (x_t - b_t) \odot \int_0^1
    \frac{\partial s_t}{\partial x_t}\big(b + u\,(x - b)\big) \, du, \qquad
    (h_t, s_t) = \mathrm{step}(h_{t-1}, x_t)$$

    The score of step $t$ depends on all inputs up to it, and the path moves all of
    them. Of its integrated gradients, this is the last row: equal to those of the
    series up to $t$, for every $t$ at once. The state before a step does not depend on
    its input, so one pass forward and one step back at every place do: the cost grows
    with the number of steps $T$, where explaining each output alone takes $T^2$.

    Not complete: what earlier inputs contribute to a score is left out, so a sum below
    `s_t(x) - s_t(b)` says that the network looked back. For a whole explanation of one
    output, take `integrated_gradients` of it.

    Args:
        step: One step, as for `jax.lax.scan`: `step(carry, row, *args)` returns the
            next carry and the scalar score of this step.
        in_axes: For each of `args`, 0 if it has time on its first axis, such as the
            label of every step, or None if all steps share it, such as parameters.
            All of them share by default.
        steps: Number of nodes on the line.
        rule: One of the rules of `integrated_gradients`. With one step of
            `"riemann_right"` and a baseline of 0 it is the input times the gradient.
        chunk_size: Number of nodes evaluated at once; all of them by default.
            Peak memory follows it.

    Returns:
        `explain(x, *args, carry, baseline)`, shaped like `x`, in the units of the
        scores. All leaves of `x` have time on their first axis, and `carry` is the
        state before the first step. Costs `steps` passes forward, and at each node one
        gradient of each step.

    Raises:
        ValueError: If an option is out of range, the leaves of `x` differ in their
            number of steps, `step` does not return a carry like the one it takes and a
            scalar, or `baseline` or `in_axes` does not fit.
        TypeError: If `x` holds integers, or `baseline` or `carry` is missing.

    Example:
        >>> def step(h, row):
        ...     h = 0.5 * h + row
        ...     return h, h**2
        >>> explain = jx.series.last_step(step)
        >>> phi = explain(jnp.array([1.0, 2.0, 1.0]), carry=0.0, baseline=0.0)
        >>> phi.round(2)
        Array([1.  , 5.  , 2.25], dtype=float32)

    References:
        Sundararajan, Taly and Yan (2017), *Axiomatic Attribution for Deep Networks*,
        arXiv:1703.01365, equation 1.
        Enguehard (2023), *Time Interpret: a Unified Model Interpretability Library for
        Time Series*, arXiv:2306.02968, on explaining every step of a series by the
        series up to it.
    """
    nodes, weights = _quadrature.nodes_and_weights(rule, steps)
    _checks.chunk_size(chunk_size)

    def explain(
        x: PyTree, /, *args: Any, carry: PyTree = REQUIRED, baseline: PyTree = REQUIRED
    ) -> PyTree:
        state = jax.tree.map(jnp.asarray, _valid.carry(carry))
        x = _checks.inputs(x)
        number = _valid.steps(x)
        start = _checks.baseline(baseline, x)
        kinds = _valid.axes(in_axes, len(args))
        moving = [a for a, axis in zip(args, kinds) if axis == 0]
        _valid.over_time(moving, number)

        def at_step(state: PyTree, row: PyTree, own: Sequence[Any]) -> tuple[Any, Any]:
            rest = iter(own)
            filled = [next(rest) if axis == 0 else a for a, axis in zip(args, kinds)]
            return step(state, row, *filled)

        first = jax.tree.map(lambda leaf: leaf[0], (x, moving))
        _valid.recurrence(at_step, state, *first)

        def slopes(i: Array) -> PyTree:
            series = _tree.lerp(start, x, _tree.constant(nodes, x)[i])
            forward = lambda state, now: (at_step(state, *now)[0], state)
            _, before = jax.lax.scan(forward, state, (series, moving))
            score = lambda row, state, own: at_step(state, row, own)[1]
            return jax.tree.map(
                _wide, jax.vmap(jax.grad(score))(series, before, moving)
            )

        mean = _tree.mean_samples(slopes, steps, chunk_size, weights)
        delta = jax.tree.map(lambda a, b: _wide(a) - _wide(b), x, start)
        return _tree.cast_like(_tree.mul(delta, mean), x)

    return explain


def _wide(leaf: Array) -> Array:
    return leaf.astype(_tree.accumulator(leaf.dtype))
