"""Integrated gradients along a path of the user."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike

from .. import _checks, _pooling, _quadrature, _tree
from .._quadrature import Rule
from .._types import REQUIRED, Contrastive, ScalarFn, Ts, X
from . import _valid, _values


def along(
    f: ScalarFn[X, *Ts],
    path: Callable[[Array, Any, Any], Any],
    *,
    steps: int = 32,
    rule: Rule = "gauss_legendre",
    chunk_size: int | None = None,
) -> Contrastive[X, *Ts]:
    r"""Integrate the gradient along a path.

    $$\phi(x; b) = \int_0^1 \nabla f(\gamma(t)) \odot \gamma'(t) \, dt$$

    Complete: the attributions sum to `f` at the end of the path less `f` at its start,
    up to the error of the rule. A coordinate that the path does not move gets 0, even
    where its gradient is infinite. The straight line is `integrated_gradients`, which
    does it faster.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        path: `path(t, x, baseline)` returns the point at `t`, from 0 to 1, shaped like
            `x`. It is differentiated in `t` by `jax.jvp`. It sees `x` and `baseline` in
            at least float32, all in one dtype.
        steps: Number of nodes on the path; the trapezoid needs two.
        rule: One of the rules of `integrated_gradients`.
        chunk_size: Number of nodes evaluated at once; all of them by default.
            Peak memory follows it.

    Returns:
        `explain(x, *args, baseline)`, shaped like `x`, in the units of `f`.
        The baseline may be any prefix of `x`, such as `0.0`. Costs `steps` gradients.

    Raises:
        ValueError: If `steps` or `rule` is out of range, `f` does not return a scalar,
            `x` is empty, `baseline` does not fit `x`, or the path leaves its shape.
        TypeError: If `x` holds integers, such as tokens, or `baseline` is missing.

    Example:
        First one feature, then the other:

        >>> def corner(t, x, baseline):
        ...     share = jnp.clip(2 * t - jnp.arange(2), 0, 1)
        ...     return baseline + share * (x - baseline)
        >>> explain = along(lambda x: x[0] * x[1], corner)
        >>> explain(jnp.array([2.0, 3.0]), baseline=0.0).astype(jnp.bfloat16)
        Array([0, 6], dtype=bfloat16)

    References:
        Sundararajan, Taly and Yan (2017), *Axiomatic Attribution for Deep Networks*,
        arXiv:1703.01365, section 4: path methods.
    """
    nodes, weights = _quadrature.nodes_and_weights(rule, steps)
    _checks.chunk_size(chunk_size)

    def explain(x: X, /, *args: *Ts, baseline: X | ArrayLike = REQUIRED) -> X:
        x = _checks.inputs(x)
        start = _checks.baseline(baseline, x)
        wide = lambda tree: jax.tree.map(
            lambda leaf: leaf.astype(_tree.widest(x)), tree
        )
        gradient = _pooling.gradient(_checks.scalar(f))

        def position(t: Array) -> Any:
            return _valid.point(path(t, wide(x), wide(start)), x)

        def at_node(i: Array) -> X:
            t = _tree.constant(nodes, x)[i]
            point, velocity = jax.jvp(position, (t,), (jnp.ones_like(t),))
            slope = gradient(_tree.cast_like(point, x), *args)
            return _values.work(wide(slope), wide(velocity))

        return _tree.cast_like(
            _tree.mean_samples(at_node, steps, chunk_size, weights), x
        )

    return explain
