"""A logistic model of a probability."""

from collections.abc import Callable
from typing import Any, Generic, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Bool, Float, Int, PyTree

from .. import _checks, _regression, _tree
from .._types import Scalar, ScalarFn, Ts, X
from . import _table
from ._linear import affine, determined, enough


class Logistic(NamedTuple, Generic[X]):
    """A logistic model, `model(x)`: the sigmoid of a linear one.

    Attributes:
        weights: Slope of the log-odds in each entry, shaped like one example.
        intercept: Log-odds where every entry is 0.
        standard_error: Standard error of each weight over the draw of the rows;
            infinite for one that the rows do not determine.
        explained: Share of the deviance from a constant probability that the model
            explains on its rows: 1 where it is `f`.
        rows: Number of rows where all was finite: the others were left out.
        converged: Whether the steps came to rest. If not, no finite weights are best:
            see `logistic`.
    """

    weights: X
    intercept: Scalar
    standard_error: X
    explained: Scalar
    rows: Int[Array, ""]
    converged: Bool[Array, ""]

    def __call__(self, x: X) -> Scalar:
        """The probability."""
        return jax.nn.sigmoid(affine(self.weights, self.intercept, x))


def logistic(
    f: ScalarFn[X, *Ts],
    *,
    ridge: float = 0.0,
    max_steps: int = 50,
    chunk_size: int | None = None,
) -> Callable[..., Logistic[Any]]:
    r"""The logistic model that is nearest to a probability `f` on a stack of examples.

    $$\min_{a,\, b} \; \sum_i w_i \, \mathrm{KL}\left(f(x_i) \,\|\,
    \sigma(a + b^\top x_i)\right) + \frac{\lambda}{2} \sum_j (\sigma_j b_j)^2$$

    The targets are soft: how sure `f` is counts, not only its decision. Exact where
    the log-odds of `f` are linear. Newton's method with halved steps, until no log-odds
    of a row moves by more than rounding. Hard targets that a plane separates have no
    best weights: without a penalty the steps do not come to rest, `converged` is
    false, and the standard errors are infinite. The mean of the model over the rows is
    that of `f`. Rows that are not finite, and weights that the rows do not determine,
    are as in `linear`.

    Args:
        f: Function to stand in for: `f(x, *args)` returns a probability.
        ridge: Penalty $\lambda$ on weights in units of their column.
        max_steps: Number of Newton steps, at most.
        chunk_size: Number of rows evaluated at once; all of them by default.

    Returns:
        `fit(xs, *args, weights=None)`, which returns a `Logistic`, itself a function of
        one example. See `linear` for `xs` and `weights`. Costs one evaluation of `f`
        per row, and a few eigendecompositions of a matrix with a row per column.

    Raises:
        ValueError: If `f` returns a number outside of [0, 1] (NaN in place of the model
            where that cannot be seen, under `jax.jit`), and as `linear`.
        TypeError: As `linear`.

    Example:
        >>> xs = jax.random.normal(jax.random.key(0), (100, 2))
        >>> model = logistic(lambda x: jax.nn.sigmoid(1.0 + 2.0 * x[0]))(xs)
        >>> model.weights.round(2) + 0.0, model.intercept.round(2)
        (Array([2., 0.], dtype=float32), Array(1., dtype=float32))

    References:
        McCullagh and Nelder (1989), *Generalized Linear Models*, section 4.4.
        Albert and Anderson (1984), *On the Existence of Maximum Likelihood Estimates in
        Logistic Regression Models*, for separation.
    """
    _checks.positive("ridge", ridge, zero=True)
    _checks.count("max_steps", max_steps)
    _checks.chunk_size(chunk_size)
    scalar = _checks.scalar(f)

    def fit(xs: X, /, *args: *Ts, weights: ArrayLike | None = None) -> Logistic[Any]:
        examples, number = _table.stacked(xs)
        columns = _table.flat(examples, number).shape[1]
        enough("logistic", number, columns, ridge)
        targets = _table.evaluate(scalar, examples, args, number, chunk_size)
        targets = _probabilities(targets)
        dtype = _tree.widest((examples, targets))
        w = _table.row_weights(weights, number, dtype)
        t = _table.table(examples, jnp.isfinite(targets), w)
        targets = jnp.where(t.weights > 0, targets.astype(dtype), 0.5)
        return _solve(t, targets, ridge, max_steps, chunk_size, examples)

    return fit


def _probabilities(values: Float[Array, " n"]) -> Float[Array, " n"]:
    """Targets from 0 to 1, up to rounding."""
    rounding = 8 * jnp.finfo(values.dtype).eps
    outside = (values < -rounding) | (values > 1 + rounding)
    if not _checks.is_traced(values) and bool(outside.any()):
        worst = values[jnp.argmax(jnp.where(outside, jnp.abs(values), -1))]
        raise ValueError(
            "`f` must return a probability, from 0 to 1, but returned "
            f"{float(worst):.4g}. Return `jax.nn.sigmoid` of the log-odds, or fit "
            "them with `distill.linear`."
        )
    # One of them spoils the model, visibly: no row is at fault alone.
    return jnp.where(outside.any(), jnp.nan, jnp.clip(values, 0, 1))


class _Step(NamedTuple):
    phi: Array
    """Where the loss is lowest so far: the intercept, then the weights."""
    change: Array
    """The Newton step from there, perhaps halved."""
    loss: Array
    gram: Array
    """The second derivative of the loss there."""
    moved: Array
    """The largest change of the log-odds of a row in the step before."""
    taken: Array


def _solve(
    t: _table.Table,
    q: Float[Array, " n"],
    ridge: float,
    max_steps: int,
    chunk_size: int | None,
    xs: PyTree,
) -> Logistic[Any]:
    number, d = t.z.shape
    dtype, eps = q.dtype, jnp.finfo(q.dtype).eps
    penalty = ridge * jnp.ones(d + 1, dtype).at[0].set(0)
    z = jnp.concatenate([jnp.ones((number, 1), dtype), t.z], 1)
    total = t.weights.sum()

    def derivatives(phi: Array) -> tuple[Array, Array, Array]:
        """The loss, its negative slope, and its second derivative."""
        eta = _regression.dot(z, phi)
        p, rest = jax.nn.sigmoid(eta), jax.nn.sigmoid(-eta)
        # q - p, without cancellation where both are close to 1.
        slope = _regression.dot(t.weights * (q * rest - (1 - q) * p), z)
        information = (t.weights * p * rest)[:, None]
        gram = _regression.dot((z * information).T, z)
        loss = _regression.dot(t.weights, _divergence(q, eta))
        loss = loss + jnp.sum(penalty * phi**2) / 2
        return loss, slope - penalty * phi, gram + jnp.diag(penalty)

    def moves(state: _Step) -> Array:
        return ~_resting(state) & (state.taken <= max_steps)

    def step(state: _Step) -> _Step:
        phi = state.phi + state.change
        loss, slope, gram = derivatives(phi)
        better = loss <= state.loss * (1 + 8 * eps) + eps
        newton = _regression.spectral(gram, slope, 0.0).phi
        moved = jnp.abs(_regression.dot(z, state.change))
        moved = jnp.where(t.weights > 0, moved, 0).max()
        moves_on = better & (state.taken > 0)
        return _Step(
            jnp.where(better, phi, state.phi),
            jnp.where(better, newton, state.change / 2),
            jnp.where(better, loss, state.loss),
            jnp.where(better, gram, state.gram),
            jnp.where(moves_on, moved, jnp.inf),
            state.taken + 1,
        )

    # From the best constant.
    mean = jnp.clip(_regression.dot(t.weights, q) / total, eps, 1 - eps)
    start = jnp.zeros(d + 1, dtype).at[0].set(jnp.log(mean) - jnp.log1p(-mean))
    null = _regression.dot(t.weights, _divergence(q, jnp.full(number, start[0])))
    nowhere, gram = jnp.zeros_like(start), jnp.zeros((d + 1, d + 1), dtype)
    far = jnp.full_like(null, jnp.inf)
    first = _Step(start, nowhere, far, gram, far, 0 * t.used)
    last = jax.lax.while_loop(moves, step, first)
    before, found = (
        _regression.spectral(gram, nowhere, 0.0)
        for gram in (derivatives(start)[2], last.gram)
    )
    # A direction that had information and lost it leads to log-odds without end.
    separated = jnp.any((found.lost > 0.01) & (before.lost < 0.01))
    converged = _resting(last) & ~separated
    spread = _spread(t, z, q, last.phi, found.inverse, chunk_size)
    known = converged & determined(t, before.lost[1:], ridge)
    phi = jnp.where(total > 0, last.phi, jnp.nan)
    slopes = phi[1:] / t.scale
    rest = last.loss - jnp.sum(penalty * last.phi**2) / 2
    varies = null > 8 * eps * total
    explained = jnp.where(varies, 1 - rest / jnp.where(varies, null, 1), 1.0)
    return Logistic(
        _table.like(slopes, xs),
        phi[0] - _regression.dot(t.mean, slopes),
        _table.like(jnp.where(known, spread[1:] / t.scale, jnp.inf), xs),
        jnp.where(total > 0, explained, jnp.nan),
        t.used,
        converged,
    )


def _resting(state: _Step) -> Array:
    return state.moved <= 4 * jnp.sqrt(jnp.finfo(state.phi.dtype).eps)


def _divergence(q: Array, eta: Array) -> Array:
    """KL divergence of a probability from the sigmoid of log-odds."""
    entropy = jax.scipy.special.entr(q) + jax.scipy.special.entr(1 - q)
    cross = q * jax.nn.softplus(-eta) + (1 - q) * jax.nn.softplus(eta)
    return jnp.maximum(cross - entropy, 0)


def _spread(
    t: _table.Table,
    z: Float[Array, "n d"],
    q: Float[Array, " n"],
    phi: Float[Array, " d"],
    inverse: Float[Array, "d d"],
    chunk_size: int | None,
) -> Float[Array, " d"]:
    """Standard errors of the sandwich kind (HC3): the model need not be right."""
    tiny = jnp.finfo(q.dtype).tiny

    def row(i: Array) -> tuple[Array, Array, Array]:
        eta = jnp.sum(z[i] * phi)
        p, rest = jax.nn.sigmoid(eta), jax.nn.sigmoid(-eta)
        information = jnp.maximum(p * rest, tiny)
        left = (q[i] * rest - (1 - q[i]) * p) / information
        return z[i], left, t.weights[i] * information

    # The intercept is a column here, so no further leverage is its own.
    nowhere, everything = jnp.zeros_like(phi), jnp.full((), jnp.inf, q.dtype)
    errors = _regression.errors(row, nowhere, inverse, everything, len(q), chunk_size)
    return _regression.root(errors.squared)
