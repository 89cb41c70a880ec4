"""A linear model of a game, on any design."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array

from .. import _checks, games
from .._types import Draw, Scalar
from . import _kernel
from ._fit import fit
from ._selection import chooser
from ._types import Distance, Selection, Surrogate


def regress(
    value: Callable[[Array], Scalar],
    design: Draw,
    num_groups: int,
    *,
    num_samples: int,
    distance: Distance = "cosine",
    width: float | None = None,
    ridge: float = 1.0,
    num_features: int | None = None,
    selection: Selection = "highest_weights",
    chunk_size: int | None = None,
) -> Surrogate[Array]:
    r"""Fit a ridge regression to a game, weighted by nearness to the full coalition.

    $$\min_{\beta, \beta_0} \sum_{i=1}^{n} \pi(m_i)
    \left(v(m_i) - \beta_0 - m_i^\top \beta\right)^2 + \lambda \lVert \beta \rVert^2,
    \qquad \pi(m) = \exp\left(-\frac{D(m)^2}{2 \omega^2}\right)$$

    The cosine distance between a mask and the full one is $D(m) = 1 - \sqrt{|m| / d}$,
    the Euclidean one $D(m) = \sqrt{d - |m|}$. The intercept is not penalised. Without a
    penalty only ratios of weights matter, so the weights may underflow.

    The design is not asked how it was made: the standard errors are those of
    independent coalitions. Of all coalitions, for example, they mean nothing.

    Args:
        value: Game: a mask of shape `(num_groups,)` to a scalar.
        design: The coalitions, such as `coalitions.exhaustive(num_groups)`.
        num_groups: Number of features $d$.
        num_samples: Number of coalitions $n$ of the design to use.
        distance: `"cosine"`, `"euclidean"`, or your own function of a mask:
            $\sqrt{-2 \log \pi}$ for weights $\pi$, 0 for equal ones.
        width: Kernel width $\omega$: by default 0.25 for the cosine distance,
            $0.75 \sqrt{d}$ for the Euclidean one, and 1 for your own.
        ridge: Penalty $\lambda$; 0 is ordinary least squares.
        num_features: Number of features to keep, at most; all by default.
        selection: How to choose them, see `surrogate`.
        chunk_size: Number of coalitions evaluated at once; all of them by default.

    Returns:
        The `Surrogate`, with weights of shape `(num_groups,)`.

    Raises:
        ValueError: If an option is out of range, the design is for another number of
            features, or there are too few samples to determine a model without a
            penalty.

    Example:
        >>> v = lambda mask: 1.0 + 2.0 * mask[0] - mask[1]
        >>> design = coalitions.exhaustive(2)
        >>> regress(v, design, 2, num_samples=4, ridge=0.0).weights.round(3)
        Array([ 2., -1.], dtype=float32)

    References:
        Ribeiro, Singh and Guestrin (2016), arXiv:1602.04938, equation 1.
    """
    _kernel.check(distance, width)
    _checks.positive("ridge", ridge, zero=True)
    _checks.count("num_groups", num_groups)
    choose = chooser(selection, num_features)
    enough("a surrogate", num_samples, num_groups, ridge, num_features)
    shape = jax.eval_shape(design, jnp.zeros((), int)).shape
    if shape != (num_groups,):
        raise ValueError(
            f"`design` must return masks of shape {(num_groups,)}, for `num_groups`, "
            f"but returns shape {shape}. Make both for the same features, for example "
            f"`coalitions.exhaustive({num_groups})`."
        )
    values = games.evaluate(value, design, num_samples, chunk_size)
    log_weight = _kernel.log_weight(distance, width, num_groups, values.dtype)
    return fit(values, design, log_weight, num_groups, ridge, choose, chunk_size)


def enough(
    who: str, num_samples: int, num_groups: int, ridge: float, num_features: int | None
) -> None:
    """A penalty determines every weight; without one the samples must."""
    kept = num_groups if num_features is None else min(num_features, num_groups)
    least = 2 if ridge > 0 else kept + 1
    _checks.enough_samples(who, num_samples, num_groups, least)
