"""The weighted ridge regression of a surrogate, and what it knows of itself."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .. import _regression, _tree
from .._types import Draw
from ._selection import Choose, columns
from ._together import everywhere
from ._types import Surrogate


def fit(
    values: Float[Array, " n"],
    design: Draw,
    log_weight: Callable[[Array], Array],
    num_groups: int,
    ridge: float,
    choose: Choose | None,
    chunk_size: int | None,
) -> Surrogate[Array]:
    """The surrogate of values, without those that are not finite.

    All classes of one key have their masks and weights in common. So they share all
    that is done with matrices, unless one of them lacks a value.
    """
    # LIME is linear in the values, and its errors are squares of them.
    unit, values = _regression.in_own_unit(values)
    logs = _tree.map_samples(lambda i: log_weight(design(i)), len(values), chunk_size)

    def solve(complete: bool) -> Surrogate[Array]:
        return _solve(
            values, logs, complete, design, num_groups, ridge, choose, chunk_size
        )

    found = jax.lax.cond(
        everywhere(jnp.isfinite(values).all()),
        lambda: solve(True),
        lambda: solve(False),
    )
    return found._replace(
        weights=unit * found.weights,
        intercept=unit * found.intercept,
        standard_error=unit * found.standard_error,
    )


def _solve(
    values: Float[Array, " n"],
    logs: Float[Array, " n"],
    complete: bool,
    design: Draw,
    num_groups: int,
    ridge: float,
    choose: Choose | None,
    chunk_size: int | None,
) -> Surrogate[Array]:
    dtype, size = values.dtype, len(values)
    counted = logs if complete else jnp.where(jnp.isfinite(values), logs, -jnp.inf)
    highest = counted.max()
    # Only beside a penalty does the scale of the weights matter; they may underflow.
    top = jnp.where(jnp.isfinite(highest), highest, 0)
    scale = jnp.exp(top) if ridge > 0 else jnp.ones((), dtype)

    def row(i: Array) -> tuple[Array, Array, Array]:
        mask, y, w = design(i).astype(dtype), values[i], jnp.exp(logs[i] - top)
        if complete:
            return mask, y, w
        finite = jnp.isfinite(y)
        return mask, jnp.where(finite, y, 0), jnp.where(finite, w, 0)

    total, mask_mean, y_mean = _regression.weighted_means(row, size, chunk_size)

    def centred(i: Array) -> tuple[Array, Array, Array]:
        mask, y, w = row(i)
        return mask - mask_mean, y - y_mean, w

    gram, moment = _regression.normal_equations(centred, size, chunk_size)
    kept = columns(choose, scale * gram, scale * moment)

    def of_kept(i: Array) -> tuple[Array, Array, Array]:
        z, y, w = centred(i)
        return kept.take(z), y, w

    solution = _regression.spectral(
        scale * kept.take(kept.take(gram).T), scale * kept.take(moment), ridge
    )
    weights, inverse = solution.phi, scale * solution.inverse
    errors = _regression.errors(of_kept, weights, inverse, total, size, chunk_size)
    # A penalty would call a feature that never changed irrelevant; nobody knows.
    known = jnp.diagonal(gram) > jnp.finfo(dtype).eps * total
    evaluations = jnp.isfinite(values).sum()
    if ridge == 0:
        num_kept = len(weights)
        determined = (solution.lost < 0.01 / num_kept) & (evaluations > num_kept)
        known &= kept.put(determined, True)
    # What is left of a constant is rounding, which is not for a model to explain.
    varies = errors.variance > total * (8 * jnp.finfo(dtype).eps * y_mean) ** 2
    explained = 1 - errors.unexplained / jnp.where(varies, errors.variance, 1)
    intercept = y_mean - _regression.dot(kept.take(mask_mean), weights)
    effective = jnp.where(total > 0, total**2 / errors.squared_weights, 0)
    # Under `shard_map`, what both branches of a `cond` return must vary alike.
    nothing = 0 * row(jnp.zeros((), int))[1]
    return Surrogate(
        jnp.where(known, kept.put(weights, 0), jnp.nan),
        jnp.where(known.all(), intercept, jnp.nan),
        jnp.where(varies, explained, jnp.where(total > 0, 1.0, jnp.nan)),
        jnp.where(known, kept.put(_regression.root(errors.squared), jnp.nan), jnp.nan),
        evaluations,
        effective + nothing,
        solution.condition + nothing,
    )
