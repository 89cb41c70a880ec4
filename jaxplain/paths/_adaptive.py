"""Integrated gradients to a tolerance."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, Int

from .. import _checks, _convolutions, _tree
from .._types import REQUIRED, Contrastive, ScalarFn, Ts, X
from . import _valid, _values
from ._panels import UNUSED, Line, Panels, integrate, norm, ratio
from ._types import Estimated
from ._types import PathEstimate as PathEstimate

SEEDS = 17


def adaptive_ig(
    f: ScalarFn[X, *Ts], *, rtol: float = 1e-2, max_nodes: int = 257, batch: int = 8
) -> Contrastive[X, *Ts]:
    r"""Integrated gradients, at as many nodes as a tolerance takes.

    $$\phi(x; b) = (x - b) \odot \int_0^1 \nabla f(b + t\,(x - b)) \, dt$$

    Starts from 17 nested Clenshaw-Curtis nodes, and is done if the 9 of them that form
    a rule agree with all. Otherwise the panels between nodes that hide the most are
    halved until the estimate of the error is below `rtol`. Where values and gradients
    show a kink inside a panel, it is placed by the values: one kink is exact. Complete
    up to rounding or `rtol`. A gradient that is not finite at an end of the line, such
    as that of a root at 0, is replaced by its neighbour's.

    Not differentiable in reverse mode: the number of gradients is not known in advance.
    Differentiate `integrated_gradients`, or take `jax.jvp`. Under `jax.vmap` all
    examples wait for the slowest.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        rtol: Tolerated error of the attribution, relative to it, in the Euclidean norm;
            at most 0.01.
        max_nodes: Largest number of gradients. Memory holds as many, shaped like `x`,
            several times.
        batch: Number of gradients taken at once, 1 to 16.

    Returns:
        `explain(x, *args, baseline)`, shaped like `x`, in the units of `f`.
        The baseline may be any prefix of `x`, such as `0.0`. Costs 17 to `max_nodes`
        gradients; `adaptive_fit` tells how many, and how large the error may be.

    Raises:
        ValueError: If an option is out of range, `f` does not return a scalar, `x` is
            empty, or `baseline` does not fit `x`.
        TypeError: If `x` holds integers, such as tokens, or `baseline` is missing.

    Example:
        A step between the nodes of a fixed rule:

        >>> f = lambda x: jax.nn.sigmoid(200 * (x[0] * x[1] - 0.5))
        >>> x = jnp.ones(2)
        >>> integrated_gradients(f, steps=32)(x, baseline=0.0)
        Array([1.22, 1.22], dtype=float32)
        >>> adaptive_ig(f)(x, baseline=0.0)
        Array([0.50, 0.50], dtype=float32)

    References:
        Sundararajan, Taly and Yan (2017), *Axiomatic Attribution for Deep Networks*,
        arXiv:1703.01365, equation 1.
        Clenshaw and Curtis (1960), *A Method for Numerical Integration on an Automatic
        Computer*: the first nodes.
    """
    fit = adaptive_fit(f, rtol=rtol, max_nodes=max_nodes, batch=batch)

    def explain(x: X, /, *args: *Ts, baseline: X | ArrayLike = REQUIRED) -> X:
        return fit(x, *args, baseline=baseline).attribution

    return explain


def adaptive_fit(
    f: ScalarFn[X, *Ts], *, rtol: float = 1e-2, max_nodes: int = 257, batch: int = 8
) -> Estimated[X, *Ts]:
    r"""`adaptive_ig`, with an estimate of its error.

    $$\epsilon \approx \frac{\|\hat\phi - \phi\|_2}{\|\hat\phi\|_2}$$

    The error of a panel is that of a kink anywhere in it, or what the smooth part of
    the rule leaves, and at least what it lacks to be complete; over the panels their
    squares are added. It is an estimate and not a bound: what lies between all nodes is
    not seen. The error is that of the integral of `f` as computed: with matrix products
    in TF32 or bfloat16, use `jax.default_matmul_precision("highest")`.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        rtol: Tolerated error, relative to the attribution; at most 0.01.
        max_nodes: Largest number of gradients.
        batch: Number of gradients taken at once, 1 to 16.

    Returns:
        `fit(x, *args, baseline)`, a `PathEstimate` of `attribution`, `error`, `gap`
        and `gradients`. Costs what `adaptive_ig` costs.

    Raises:
        ValueError: If an option is out of range, `f` does not return a scalar, `x` is
            empty, or `baseline` does not fit `x`.
        TypeError: If `x` holds integers, such as tokens, or `baseline` is missing.

    Example:
        >>> fit = adaptive_fit(lambda x: x[0] * x[1])(jnp.array([2.0, 3.0]), baseline=0)
        >>> fit.attribution, int(fit.gradients)
        (Array([3., 3.], dtype=float32), 17)

    References:
        Sundararajan, Taly and Yan (2017), arXiv:1703.01365, equation 1.
    """
    _valid.tolerance(rtol)
    _checks.count("max_nodes", max_nodes, SEEDS)
    _valid.batch(batch, SEEDS - 1)

    def fit(x: X, /, *args: *Ts, baseline: X | ArrayLike = REQUIRED) -> PathEstimate:
        x = _checks.inputs(x)
        start = _checks.baseline(baseline, x)
        dtypes = [leaf.dtype for leaf in _tree.leaves(x)]

        def of_point(x: X) -> Array:
            value = _checks.scalar(f)(x, *args)
            dtypes.append(jnp.result_type(value))  # seen while it is traced
            return value

        at = _values.on_line(of_point, start, x)
        nodes, fine, coarse = (_tree.constant(a, x) for a in _nested())
        values, rates = _tree.map_samples(lambda i: at(nodes[i]), SEEDS, batch)
        seeds = Line(nodes, values, _finite_ends(rates))
        noise = _rounding(dtypes) * jnp.max(jnp.abs(seeds.values))
        first = _first(seeds, fine, coarse, rtol, noise, max_nodes)
        few = first.line.nodes[:batch]
        evaluate, _ = _convolutions.canonical_convolutions(jax.vmap(at), few)
        state = _refine(first, evaluate, rtol, noise, batch)
        gap = state.integral.sum() - (seeds.values[-1] - seeds.values[0])
        # The values take part in the answer: one of them that is no number spoils it.
        spoilt = lambda known: jnp.where(jnp.isfinite(gap), known, jnp.nan)
        attribution = _values.unflatten(spoilt(state.integral), x)
        return PathEstimate(attribution, spoilt(state.error), gap, state.used)

    return fit


class _State(NamedTuple):
    """The line so far, its integral, and the error of that."""

    line: Line
    used: Int[Array, ""]
    panels: Panels
    integral: Float[Array, " size"]
    error: Float[Array, ""]


def _first(
    seeds: Line, fine: Array, coarse: Array, rtol: float, noise: Array, max_nodes: int
) -> _State:
    """Two nested rules, where they agree with one another and with the values of `f`;
    else the panels between their nodes."""
    integral = fine @ seeds.rates
    size = norm(integral)
    gap = jnp.abs(integral.sum() - (seeds.values[-1] - seeds.values[0]))
    rough = ratio(norm(integral - coarse @ seeds.rates), size)
    accepted = (rough <= rtol) & (gap <= rtol * size + noise)
    free = max_nodes - SEEDS
    # Placed like the data: on a mesh, a constant would have another type.
    nodes = jnp.where(seeds.values == seeds.values, seeds.nodes, seeds.nodes)
    line = Line(
        jnp.pad(nodes, (0, free), constant_values=UNUSED),
        jnp.pad(seeds.values, (0, free)),
        jnp.pad(seeds.rates, ((0, free), (0, 0))),
    )
    panels = integrate(line, noise)
    return _State(
        line,
        jnp.asarray(SEEDS, jnp.int32),
        panels,
        jnp.where(accepted, integral, panels.integral),
        jnp.where(accepted, rough, _relative(panels)),
    )


def _refine(
    state: _State,
    evaluate: Callable[[Array], tuple[Array, Array]],
    rtol: float,
    noise: Array,
    batch: int,
) -> _State:
    """Halve the panels that hide the most, until the error is small."""
    max_nodes = len(state.line.nodes)

    def unfinished(state: _State) -> Array:
        return (state.error > rtol) & (state.used + batch <= max_nodes)

    def halve(state: _State) -> _State:
        line, panels = state.line, state.panels
        hidden = _share(panels.errors) + _share(panels.residuals)
        _, worst = jax.lax.top_k(hidden, batch)
        middle = line.nodes[worst] + line.widths[worst] / 2
        found = Line(middle, *evaluate(middle))
        at = state.used + jnp.arange(batch, dtype=jnp.int32)
        line = jax.tree.map(lambda old, new: old.at[at].set(new), line, found)
        order = jnp.argsort(line.nodes)
        line = jax.tree.map(lambda a: a[order], line)
        panels = integrate(line, noise)
        used = state.used + jnp.asarray(batch, jnp.int32)
        return _State(line, used, panels, panels.integral, _relative(panels))

    return jax.lax.while_loop(unfinished, halve, state)


def _share(parts: Array) -> Array:
    return ratio(parts, parts.sum())


def _relative(panels: Panels) -> Array:
    return ratio(norm(panels.errors), norm(panels.integral))


def _finite_ends(rates: Array) -> Array:
    """A root may be infinitely steep at the baseline, and has an integral all the same.

    No node taken later is an end, so the neighbours stand in for the ends once.
    """
    mend = lambda end, inner: jnp.where(jnp.isfinite(end), end, inner)
    first, last = mend(rates[0], rates[1]), mend(rates[-1], rates[-2])
    return rates.at[0].set(first).at[-1].set(last)


def _rounding(dtypes: list[Any]) -> float:
    """The rounding of values of `f`, relative to them: a few units in the last."""
    return 4 * max(float(jnp.finfo(dtype).eps) for dtype in dtypes)


def _nested() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """17 nodes, their weights, and the weights of every other one as a rule of 9."""
    coarse = np.zeros(SEEDS)
    coarse[::2] = _clenshaw_curtis(SEEDS // 2 + 1)[1]
    return *_clenshaw_curtis(SEEDS), coarse


def _clenshaw_curtis(num: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes at the extrema of a Chebyshev polynomial, and weights that sum to 1.

    The weights integrate the interpolating polynomial: they solve for the moments of
    the Chebyshev polynomials.
    """
    angles = np.pi * np.arange(num)[::-1] / (num - 1)
    order = np.arange(num)
    even = order % 2 == 0
    moments = np.where(even, 1 / (1 - np.where(even, order, 0.0) ** 2), 0)
    weights = np.linalg.solve(np.cos(np.outer(order, angles)), moments)
    return (np.cos(angles) + 1) / 2, weights
