"""How well one function stands in for another."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float, Int

from .. import _checks, _regression, _tree
from .._types import Scalar
from . import _table


class Fidelity(NamedTuple):
    """How well `g` stands in for `f`, with standard errors over the draw of the rows.

    Attributes:
        r2: Share of the variance of `f` that `g` explains: 1 where they are equal, 0
            for the mean of `f`, negative for worse.
        r2_error: Standard error of `r2`.
        gap: Mean absolute difference, in the units of `f`.
        gap_error: Standard error of `gap`.
        agreement: Share of the rows on which both decide alike.
        agreement_error: Standard error of `agreement`.
        rows: Number of rows where `f` was finite: the others were left out.
    """

    r2: Scalar
    r2_error: Scalar
    gap: Scalar
    gap_error: Scalar
    agreement: Scalar
    agreement_error: Scalar
    rows: Int[Array, ""]


def fidelity(
    f: Callable[..., Any],
    g: Callable[[Any], Any],
    *,
    threshold: float = 0.0,
    chunk_size: int | None = None,
) -> Callable[..., Fidelity]:
    r"""How well a simple model stands in for a function, on a stack of examples.

    $$R^2 = 1 - \frac{\sum_i w_i \|f(x_i) - g(x_i)\|^2}
    {\sum_i w_i \|f(x_i) - \bar f\|^2}$$

    Judge on rows that the model was not fitted to. `f` and `g` may return one number or
    a vector of them, such as the logits of classes. They decide alike where both
    numbers are above the threshold, or neither is; of vectors, where the same entry is
    the largest.

    Args:
        f: Function that `g` stands in for: `f(x, *args)`.
        g: Simple model: `g(x)`, in the units of `f`.
        threshold: Where the decision of one number lies: 0 for log-odds, 0.5 for a
            probability.
        chunk_size: Number of rows evaluated at once; all of them by default.

    Returns:
        `judge(xs, *args, weights=None)`, which returns a `Fidelity`. The arguments
        after `xs` go to `f`; `weights` holds one number per example. Costs one
        evaluation of each function per row. A row where only `g` is not finite makes
        the answer NaN.

    Raises:
        ValueError: If `f` and `g` return different shapes, `xs` is no stack of two or
            more, or `weights` do not fit it.
        TypeError: If `xs` or what `f` or `g` returns is not floating-point.

    Example:
        >>> xs = jax.random.normal(jax.random.key(0), (100, 2))
        >>> found = fidelity(lambda x: x[0] + 0.1 * x[1], lambda x: x[0])(xs)
        >>> found.r2.round(2), found.agreement.round(1)
        (Array(0.99, dtype=float32), Array(1., dtype=float32))

    References:
        Craven and Shavlik (1996), *Extracting Tree-Structured Representations of
        Trained Networks*, for fidelity.
        Cochran (1977), *Sampling Techniques*, section 6.3, for errors of ratios.
    """
    _checks.chunk_size(chunk_size)

    def judge(xs: Any, /, *args: Any, weights: ArrayLike | None = None) -> Fidelity:
        xs, number = _table.stacked(xs)
        if number < 2:
            raise ValueError(
                f"`xs` must hold at least 2 examples to judge on, but holds {number}. "
                "Draw some around it with `distill.neighbourhood`."
            )
        a = _table.evaluate(vector("f", f), xs, args, number, chunk_size)
        b = _table.evaluate(vector("g", g), xs, (), number, chunk_size)
        if a.shape != b.shape:
            raise ValueError(
                f"`g` must return what `f` returns, shape {a.shape[1:]}, but returns "
                f"shape {b.shape[1:]}. Select the same output of both."
            )
        dtype = _tree.widest((xs, a, b))
        w = _table.row_weights(weights, number, dtype)
        return _judge(a.astype(dtype), b.astype(dtype), w, threshold)

    return judge


def _judge(a: Array, b: Array, w: Float[Array, " n"], threshold: float) -> Fidelity:
    decide = lambda values: values > threshold if values.ndim == 1 else values.argmax(1)
    alike = (decide(a) == decide(b)).astype(w.dtype)
    a, b = (values.reshape(len(w), -1) for values in (a, b))
    finite = jnp.isfinite(a).all(1)
    w = jnp.where(finite, w, 0)
    w = w / w.sum()
    a, b = (jnp.where(finite[:, None], values, 0) for values in (a, b))
    unit, a = _regression.in_own_unit(a)
    b = b / unit
    mean = _regression.dot(w, a)
    left = jnp.sum((a - b) ** 2, 1)
    spread = jnp.where(finite, jnp.sum((a - mean[None]) ** 2, 1), 0)
    unexplained, variance = _regression.dot(w, left), _regression.dot(w, spread)
    rounding = (8 * jnp.finfo(w.dtype).eps) ** 2 * jnp.sum(mean**2)
    varies = variance > rounding
    ratio = unexplained / jnp.where(varies, variance, 1)
    # Nothing to explain: either nothing is wrong, or all of it.
    constant = jnp.where(unexplained > rounding, -jnp.inf, 1.0)
    influence = (left - ratio * spread) / jnp.where(varies, variance, 1)
    gaps = jnp.abs(a - b).mean(1)
    gap, agreement = _regression.dot(w, gaps), _regression.dot(w, alike)
    return Fidelity(
        jnp.where(varies, 1 - ratio, constant),
        jnp.where(varies, _error(w, influence, 0.0), jnp.nan),
        unit * gap,
        unit * _error(w, gaps, gap),
        agreement,
        _error(w, alike, agreement),
        finite.sum(),
    )


def _error(w: Float[Array, " n"], values: Array, mean: Array | float) -> Scalar:
    """Standard error of a weighted mean of independent rows."""
    squares = _regression.dot(w**2, (values - mean) ** 2)
    # As many effective rows as lose one to the mean.
    return jnp.sqrt(squares / (1 - jnp.sum(w**2)))


def vector(name: str, f: Callable[..., Any]) -> Callable[..., Array]:
    """A function, checked to return one floating-point number or a vector of them."""

    def checked(*args: Any) -> Array:
        out = f(*args)
        shape = jnp.shape(out) if hasattr(out, "dtype") else None
        if shape is None or len(shape) > 1 or 0 in shape:
            got = jax.tree.structure(out) if shape is None else f"shape {shape}"
            raise ValueError(
                f"`{name}` must return a scalar or a vector for one example, but "
                f"returned {got}. Select one output, for example "
                "`lambda x: model(x)[0]`."
            )
        if not jnp.issubdtype(out.dtype, jnp.floating):
            raise TypeError(
                f"`{name}` must return floating-point numbers, but returned "
                f"{out.dtype.name}. Return scores, such as logits, rather than a "
                "class."
            )
        return jnp.asarray(out)

    return checked
