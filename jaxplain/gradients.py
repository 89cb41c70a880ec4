"""Explainers that are one gradient, or an average of gradients along a line."""

import jax
from jaxtyping import Array, ArrayLike

from . import _checks, _lines, _pooling, _quadrature, _tree
from ._quadrature import Rule
from ._types import REQUIRED, Contrastive, Explainer, ScalarFn, Ts, X


def saliency(f: ScalarFn[X, *Ts]) -> Explainer[X, *Ts]:
    r"""The gradient of `f` at the input.

    $$\phi(x) = \nabla f(x)$$

    Signed: take `jax.numpy.abs` of it for the map of the paper. Costs one gradient.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.

    Returns:
        `explain(x, *args)`, shaped like `x`, in the units of `f` per unit of `x`.

    Raises:
        ValueError: If `f` does not return a scalar, or `x` is empty.
        TypeError: If `x` holds integers, such as tokens.

    Example:
        >>> saliency(lambda x: x[0] * x[1])(jnp.array([2.0, 3.0]))
        Array([3., 2.], dtype=float32)

    References:
        Simonyan, Vedaldi and Zisserman (2014), *Deep Inside Convolutional Networks*,
        arXiv:1312.6034, section 3.
    """

    def explain(x: X, /, *args: *Ts) -> X:
        return _pooling.gradient(_checks.scalar(f))(_checks.inputs(x), *args)

    return explain


def input_x_gradient(f: ScalarFn[X, *Ts]) -> Explainer[X, *Ts]:
    r"""The input times the gradient of `f` there.

    $$\phi(x) = x \odot \nabla f(x)$$

    Complete against a zero baseline where `f` is linear, or piecewise linear without
    biases. Costs one gradient.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.

    Returns:
        `explain(x, *args)`, shaped like `x`, in the units of `f`.

    Raises:
        ValueError: If `f` does not return a scalar, or `x` is empty.
        TypeError: If `x` holds integers, such as tokens.

    Example:
        >>> input_x_gradient(lambda x: x[0] * x[1])(jnp.array([2.0, 3.0]))
        Array([6., 6.], dtype=float32)

    References:
        Shrikumar, Greenside, Shcherbina and Kundaje (2016), *Not Just a Black Box*,
        arXiv:1605.01713.
    """

    def explain(x: X, /, *args: *Ts) -> X:
        x = _checks.inputs(x)
        return _tree.mul(x, _pooling.gradient(_checks.scalar(f))(x, *args))

    return explain


def integrated_gradients(
    f: ScalarFn[X, *Ts],
    *,
    steps: int = 32,
    rule: Rule = "gauss_legendre",
    chunk_size: int | None = None,
) -> Contrastive[X, *Ts]:
    r"""Average the gradient along the straight line from a baseline to the input.

    $$\phi(x; b) = (x - b) \odot \int_0^1 \nabla f(b + t\,(x - b)) \, dt$$

    Complete: the attributions sum to `f(x) - f(b)`, up to the error of the rule, which
    `metrics.completeness_gap` measures. Gauss-Legendre converges exponentially where
    `f` is smooth. Every rule is of order `1 / steps` where it has kinks (ReLU), and a
    saturated `f` (a probability, an LSTM) wants more steps.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        steps: Number of nodes on the line; the trapezoid needs two.
        rule: `"gauss_legendre"`, `"riemann_left"`, `"riemann_right"`,
            `"riemann_middle"` or `"trapezoid"`. The weights of each sum to 1.
        chunk_size: Number of nodes evaluated at once; all of them by default.
            Peak memory follows it.

    Returns:
        `explain(x, *args, baseline)`, shaped like `x`, in the units of `f`.
        The baseline may be any prefix of `x`, such as `0.0`. Costs `steps` gradients.

    Raises:
        ValueError: If `steps` or `rule` is out of range, `f` does not return a scalar,
            `x` is empty, or `baseline` does not fit `x`.
        TypeError: If `x` holds integers, such as tokens, or `baseline` is missing.

    Example:
        >>> explain = integrated_gradients(lambda x: x[0] * x[1], steps=4)
        >>> explain(jnp.array([2.0, 3.0]), baseline=0.0)
        Array([3.00, 3.00], dtype=float32)

    References:
        Sundararajan, Taly and Yan (2017), *Axiomatic Attribution for Deep Networks*,
        arXiv:1703.01365, equation 1.
    """
    nodes, weights = _quadrature.nodes_and_weights(rule, steps)
    inside = bool(min(nodes) > 0 and max(nodes) < 1)
    _checks.chunk_size(chunk_size)

    def explain(x: X, /, *args: *Ts, baseline: X | ArrayLike = REQUIRED) -> X:
        x = _checks.inputs(x)
        start = _checks.baseline(baseline, x)
        of_x = lambda x: _checks.scalar(f)(x, *args)
        head, line, pull_back = _lines.straighten(of_x, start, x, inside=inside)
        gradient = _pooling.gradient(head)
        # Summed in float32 at least, so the differences of bfloat16 inputs are too.
        wide = lambda leaf: leaf.astype(_tree.accumulator(leaf.dtype))

        def at_node(i: Array) -> X:
            point = line(_tree.constant(nodes, x)[i])
            return jax.tree.map(wide, gradient(point))

        mean = pull_back(_tree.mean_samples(at_node, steps, chunk_size, weights))
        delta = jax.tree.map(lambda a, b: wide(a) - wide(b), x, start)
        return _tree.cast_like(_tree.mul(delta, mean), x)

    return explain
