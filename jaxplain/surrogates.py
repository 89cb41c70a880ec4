"""Linear models of a game around the input: LIME, with its error bars."""

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, Protocol, overload

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Int

from . import _checks, _regression, coalitions, games
from ._types import REQUIRED, Draw, Labels, PRNGKey, Sampled, Scalar, ScalarFn, Ts, X


class Surrogate(NamedTuple, Generic[X]):
    """A linear model of a game, `v(mask)` near `intercept + mask @ weights`.

    Attributes:
        weights: Effect of each feature, in the units of `f`: shape `(num_groups,)`, or
            shaped like `x`.
        intercept: Value of the empty coalition, in the units of `f`.
        r2: Share of the weighted variance that the model explains, at most 1.
        standard_error: Standard error of each weight over the draw of the coalitions.
        evaluations: Number of coalitions where `f` was finite: the others were left
            out. A weight that these do not determine is NaN.
    """

    weights: X
    intercept: Scalar
    r2: Scalar
    standard_error: X
    evaluations: Int[Array, ""]


class Fitted(Protocol[X, *Ts]):
    """`fit(x, *args, baseline, key, groups=None)` returns a `Surrogate`."""

    @overload
    def __call__(
        self, x: X, /, *args: *Ts, baseline: X | ArrayLike, key: PRNGKey
    ) -> Surrogate[X]: ...
    @overload
    def __call__(
        self,
        x: X,
        /,
        *args: *Ts,
        baseline: X | ArrayLike,
        key: PRNGKey,
        groups: Labels,
    ) -> Surrogate[Array]: ...


def regress(
    value: Callable[[Array], Scalar],
    design: Draw,
    num_groups: int,
    *,
    num_samples: int,
    width: float = 0.25,
    ridge: float = 1.0,
    chunk_size: int | None = None,
) -> Surrogate[Array]:
    r"""Fit a ridge regression to a game, weighted by nearness to the full coalition.

    $$\min_{\beta, \beta_0} \sum_{i=1}^{n} \pi(m_i)
    \left(v(m_i) - \beta_0 - m_i^\top \beta\right)^2 + \lambda \lVert \beta \rVert^2,
    \qquad \pi(m) = \exp\left(-\frac{(1 - \sqrt{|m| / d})^2}{2 \omega^2}\right)$$

    The distance is the cosine distance between the mask and the full one, and the
    intercept is not penalised.

    Args:
        value: Game: a mask of shape `(num_groups,)` to a scalar.
        design: The coalitions, such as `coalitions.exhaustive(num_groups)`.
        num_groups: Number of features $d$.
        num_samples: Number of coalitions $n$ of the design to use.
        width: Kernel width $\omega$.
        ridge: Penalty $\lambda$; 0 is ordinary least squares.
        chunk_size: Number of coalitions evaluated at once; all of them by default.

    Returns:
        The `Surrogate`, with weights of shape `(num_groups,)`.

    Raises:
        ValueError: If `num_samples` does not exceed `num_groups`, or `width` or `ridge`
            is out of range.

    Example:
        >>> v = lambda mask: 1.0 + 2.0 * mask[0] - mask[1]
        >>> design = coalitions.exhaustive(2)
        >>> regress(v, design, 2, num_samples=4, ridge=0.0).weights.round(3)
        Array([ 2., -1.], dtype=float32)

    References:
        Ribeiro, Singh and Guestrin (2016), arXiv:1602.04938, equation 1.
    """
    _checks.positive("width", width)
    _checks.positive("ridge", ridge, zero=True)
    _checks.count("num_groups", num_groups)
    _checks.enough_samples("a surrogate", num_samples, num_groups, num_groups + 1)
    values = games.evaluate(value, design, num_samples, chunk_size)
    dtype = values.dtype

    def row(i: Array) -> tuple[Array, Array, Array]:
        mask, y = design(i).astype(dtype), values[i]
        distance = 1 - jnp.sqrt(mask.mean())
        w = jnp.exp(-(distance**2) / (2 * width**2))
        # A value that is not finite is left out; `evaluations` says how many are in.
        finite = jnp.isfinite(y)
        return mask, jnp.where(finite, y, 0), jnp.where(finite, w, 0)

    total, mask_mean, y_mean = _regression.weighted_means(row, num_samples, chunk_size)

    def centred(i: Array) -> tuple[Array, Array, Array]:
        mask, y, w = row(i)
        return mask - mask_mean, y - y_mean, w

    gram, moment = _regression.normal_equations(centred, num_samples, chunk_size)
    weights = _regression.solve(gram, moment, ridge)
    inverse = _regression.solve(gram, jnp.eye(num_groups, dtype=dtype), ridge)
    spread, unexplained, variance = _regression.sandwich(
        centred, weights, inverse, total, num_samples, chunk_size
    )
    evaluations = jnp.isfinite(values).sum()
    # A penalty would call a feature that never changed irrelevant; nobody knows.
    tiny = jnp.finfo(dtype).eps * total
    known = (jnp.diagonal(gram) > tiny) & (evaluations > num_groups)
    # What is left of a constant is rounding, which is not for a model to explain.
    varies = variance > total * (8 * jnp.finfo(dtype).eps * y_mean) ** 2
    explained = 1 - unexplained / jnp.where(varies, variance, 1)
    return Surrogate(
        jnp.where(known, weights, jnp.nan),
        jnp.where(known.all(), y_mean - _regression.dot(mask_mean, weights), jnp.nan),
        jnp.where(varies, explained, jnp.where(total > 0, 1.0, jnp.nan)),
        jnp.where(known, jnp.sqrt(jnp.diagonal(spread)), jnp.nan),
        evaluations,
    )


def surrogate(
    f: ScalarFn[X, *Ts],
    *,
    num_samples: int = 1000,
    num_groups: int | None = None,
    width: float = 0.25,
    ridge: float = 1.0,
    chunk_size: int | None = None,
) -> Fitted[X, *Ts]:
    r"""LIME with everything it knows: weights, intercept, fit and standard errors.

    Fits the linear model of `regress` to `f` on coalitions that hold each feature with
    probability 1/2; the first one is the full coalition, the input itself.

    Non-finite values of `f` are left out of the fit, and `evaluations` counts the
    finite ones. A weight that these do not determine is NaN, never a silent zero: of
    every feature, where there are no more of them than features, and of a feature that
    is present in all of them, or in none.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        num_samples: Number of evaluations of `f`; more than there are features.
        num_groups: Number of groups; leave out to weigh each entry of `x`.
        width: Kernel width $\omega$, in cosine distance from 0 (the input) to 1.
        ridge: Penalty $\lambda$ on the weights, in units of the sum of the kernel, so
            that it matters less for more samples.
        chunk_size: Number of coalitions evaluated at once; all of them by default.
            Peak memory follows it.

    Returns:
        `fit(x, *args, baseline, key, groups=None)`, which returns a `Surrogate`. See
        `game` for `baseline` and `groups`. Costs `num_samples` evaluations of `f`.

    Raises:
        ValueError: If `num_samples` does not exceed the number of features, `width` or
            `ridge` is out of range, `f` does not return a scalar, or `baseline` or
            `groups` do not fit `x`.
        TypeError: If `x` holds integers, or `key` or `baseline` is missing.

    Example:
        >>> fit = surrogate(lambda x: 2.0 * x[0] - x[1], num_samples=500, ridge=0.0)
        >>> found = fit(jnp.ones(2), baseline=0.0, key=jax.random.key(0))
        >>> found.weights.round(2), found.r2.round(2)
        (Array([ 2., -1.], dtype=float32), Array(1., dtype=float32))

    References:
        Ribeiro, Singh and Guestrin (2016), *"Why Should I Trust You?"*,
        arXiv:1602.04938, equation 1 and algorithm 1.
        White (1980) and MacKinnon and White (1985) for the standard errors (HC3).
    """
    options = {"width": width, "ridge": ridge, "chunk_size": chunk_size}
    return _fitted("surrogate", f, num_samples, num_groups, options)


def _fitted(
    who: str,
    f: ScalarFn[X, *Ts],
    num_samples: int,
    num_groups: int | None,
    options: dict[str, Any],
) -> Fitted[X, *Ts]:
    """`surrogate`, under the name that the user called."""
    _checks.count("num_samples", num_samples)
    _checks.sizes(num_groups, options["chunk_size"])
    _checks.positive("width", options["width"])
    _checks.positive("ridge", options["ridge"], zero=True)

    def fit(
        x: X,
        /,
        *args: *Ts,
        baseline: X | ArrayLike = REQUIRED,
        key: PRNGKey = REQUIRED,
        groups: Labels | None = None,
    ) -> Any:
        _checks.key(key, who)
        v, number, unflatten = games.players(
            who, f, x, args, baseline, groups, num_groups
        )
        _checks.enough_samples(who, num_samples, number, number + 1)
        draw = coalitions.bernoulli(key, number)
        design = lambda i: draw(i) | (i == 0)  # the first sample is the input itself
        found = regress(v, design, number, num_samples=num_samples, **options)
        return found._replace(
            weights=unflatten(found.weights),
            standard_error=unflatten(found.standard_error),
        )

    return fit


def lime(
    f: ScalarFn[X, *Ts],
    *,
    num_samples: int = 1000,
    num_groups: int | None = None,
    width: float = 0.25,
    ridge: float = 1.0,
    chunk_size: int | None = None,
) -> Sampled[X, *Ts]:
    r"""The weights of a linear model of `f` around the input.

    The `weights` of `surrogate`, which see for the options, the errors and what happens
    where `f` is not finite. The same key gives the same answer.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        num_samples: Number of evaluations of `f`; more than there are features.
        num_groups: Number of groups; leave out to weigh each entry of `x`.
        width: Kernel width, in cosine distance from 0 (the input) to 1.
        ridge: Penalty on the weights.
        chunk_size: Number of coalitions evaluated at once; all of them by default.
            Peak memory follows it.

    Returns:
        `explain(x, *args, baseline, key, groups=None)`, in the units of `f`: shape
        `(num_groups,)` with groups, shaped like `x` without. Costs `num_samples`
        evaluations of `f`.

    Raises:
        ValueError: As `surrogate`.
        TypeError: As `surrogate`.

    Example:
        >>> explain = lime(lambda x: 2.0 * x[0] - x[1], num_samples=500, ridge=0.0)
        >>> explain(jnp.ones(2), baseline=0.0, key=jax.random.key(0)).round(2)
        Array([ 2., -1.], dtype=float32)

    References:
        Ribeiro, Singh and Guestrin (2016), *"Why Should I Trust You?"*,
        arXiv:1602.04938, equation 1 and algorithm 1.
    """
    options = {"width": width, "ridge": ridge, "chunk_size": chunk_size}
    fit = _fitted("lime", f, num_samples, num_groups, options)

    def explain(
        x: X,
        /,
        *args: *Ts,
        baseline: X | ArrayLike = REQUIRED,
        key: PRNGKey = REQUIRED,
        groups: Labels | None = None,
    ) -> Any:
        return fit(x, *args, baseline=baseline, key=key, groups=groups).weights

    return explain
