"""The path of the lasso, from its Gram matrix."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

MOST_KNOTS = 500
"""As `lars_path` of scikit-learn, which the `lime` package calls."""


class _Knot(NamedTuple):
    """Where a feature enters the path or leaves it.

    Attributes:
        swept: Gram matrix, swept by the active features: `swept[active, active]` is the
            negative inverse of theirs, and the rest regressions on them.
        beta: Weights.
        correlation: Of each feature with the residual; of active ones, `penalty`.
        sign: Sign of each active weight; 0 of the others.
        left: Which feature left here, if any.
        best: The features of the last knot that had few enough.
    """

    swept: Float[Array, "d d"]
    beta: Float[Array, " d"]
    correlation: Float[Array, " d"]
    penalty: Float[Array, ""]
    sign: Float[Array, " d"]
    left: Bool[Array, " d"]
    best: Bool[Array, " d"]
    number: Int[Array, ""]


def lasso_path(
    gram: Float[Array, "d d"], moment: Float[Array, " d"], number: int
) -> Bool[Array, " d"]:
    """The features of the last knot of the path that has at most so many.

    Between knots, where the penalty falls from all to nothing, the weights move on a
    straight line. All of the path is needed: features may leave again.

    References:
        Efron, Hastie, Johnstone and Tibshirani (2004), *Least Angle Regression*,
        section 3.1.
    """
    eps = jnp.finfo(gram.dtype).eps
    tiny = 100 * eps * jnp.diagonal(gram)
    highest = jnp.abs(moment).max()

    def unfinished(knot: _Knot) -> Array:
        return (knot.penalty > 10 * eps * highest) & (knot.number < MOST_KNOTS)

    def step(knot: _Knot) -> _Knot:
        active, penalty = knot.sign != 0, knot.penalty
        # Per unit of penalty: of the weights, and of the correlations.
        product = knot.swept @ knot.sign
        slope = jnp.where(active, -product, 0)
        fall = jnp.where(active, knot.sign, product)
        free = ~active & ~knot.left & (jnp.diagonal(knot.swept) > tiny)
        enters = jnp.where(free, _catches_up(knot.correlation, fall, penalty), jnp.inf)
        shrinks = active & (knot.beta * slope < 0)
        leaves = jnp.where(shrinks, -knot.beta / jnp.where(shrinks, slope, 1), jnp.inf)
        delta = jnp.minimum(jnp.minimum(enters.min(), leaves.min()), penalty)
        is_first = jnp.arange(len(moment)) == jnp.where(
            leaves.min() <= enters.min(), leaves.argmin(), enters.argmin()
        )
        left = is_first & (leaves.min() <= delta)
        entered = is_first & ~left.any() & (enters.min() <= delta)
        beta = jnp.where(active & ~left, knot.beta + delta * slope, 0)
        correlation = knot.correlation - delta * fall
        few = (beta != 0).sum() <= number
        return _Knot(
            jnp.where(
                left.any() | entered.any(),
                _sweep(knot.swept, is_first.argmax(), left.any()),
                knot.swept,
            ),
            beta,
            correlation,
            penalty - delta,
            jnp.where(left, 0, jnp.where(entered, jnp.sign(correlation), knot.sign)),
            left,
            jnp.where(few, beta != 0, knot.best),
            knot.number + 1,
        )

    # The first one enters where the path begins: at the highest penalty.
    first = jnp.arange(len(moment)) == jnp.abs(moment).argmax()
    nothing = jnp.zeros(len(moment), bool)
    start = _Knot(
        _sweep(gram, first.argmax(), jnp.zeros((), bool)),
        jnp.zeros_like(moment),
        moment,
        highest,
        jnp.where(first, jnp.sign(moment), 0),
        nothing,
        nothing,
        jnp.zeros((), int),
    )
    return jax.lax.while_loop(unfinished, step, start).best


def _catches_up(correlation: Array, fall: Array, penalty: Array) -> Array:
    """How far the penalty falls until it meets each correlation, from either side."""

    def distance(sign: int) -> Array:
        closing = 1 - sign * fall
        gap = jnp.maximum(penalty - sign * correlation, 0)
        return jnp.where(closing > 0, gap / jnp.where(closing > 0, closing, 1), jnp.inf)

    return jnp.minimum(distance(1), distance(-1))


def _sweep(
    matrix: Float[Array, "d d"], i: Int[Array, ""], back: Bool[Array, ""]
) -> Float[Array, "d d"]:
    """Regress on feature `i`, or take that back."""
    row, pivot = matrix[i], matrix[i, i]
    share = row / pivot
    signed = jnp.where(back, -share, share)
    rest = matrix - jnp.outer(share, row)
    return rest.at[i].set(signed).at[:, i].set(signed).at[i, i].set(-1 / pivot)
