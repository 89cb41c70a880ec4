"""How much of the variance of `f` under random masks each feature explains."""

from typing import Any, Generic, NamedTuple

import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, ArrayLike, Float, Int

from .. import _checks, _variance
from .._types import (
    REQUIRED,
    Averaged,
    Labels,
    PRNGKey,
    Sampled,
    Scalar,
    ScalarFn,
    Ts,
    X,
)
from ..games import evaluate, players


class SobolIndices(NamedTuple, Generic[X]):
    """Shares of the variance of `f` under random masks, or random inputs.

    Attributes:
        total: Total index of each feature: with all its interactions. Shape
            `(num_groups,)`, or shaped like `x`.
        first: First-order index of each feature: alone.
        total_error: Standard error of each total index.
        first_error: Standard error of each first-order index.
        variance: Variance of `f`, in its units squared.
        evaluations: Number of evaluations of `f`.
    """

    total: X
    first: X
    total_error: X
    first_error: X
    variance: Scalar
    evaluations: Int[Array, ""]


def sobol(
    f: ScalarFn[X, *Ts],
    *,
    num_groups: int | None = None,
    num_designs: int = 32,
    chunk_size: int | None = None,
) -> Sampled[X, *Ts]:
    r"""Total Sobol indices: the variance of `f` that is left if all else is known.

    $$\phi_i(x) = \frac{\mathbb{E}\left[\operatorname{Var}(v(M) \mid M_{\sim i})\right]}
    {\operatorname{Var}(v(M))}
    \approx \frac{\frac{1}{2n} \sum_{j=1}^{n} \left(v(A_j) - v(A_j^{(i)})\right)^2}
    {\widehat{\operatorname{Var}}(v)}$$

    The masks $M$ are uniform on $[0, 1]^d$: features are faded, not only taken away.
    $A_j^{(i)}$ is the mask $A_j$ with entry $i$ of another mask $B_j$. Indices are
    never negative and have no sign; they sum to 1 for additive `f` and to more where
    features interact. A feature without effect gets exactly 0, and so do all of them
    where `f` is constant up to rounding. A value of `f` that is not finite makes every
    entry NaN.

    Designs are Latin hypercubes. On five games with 16 to 64 features their squared
    error was 0.79 to 1.0 of that of independent masks. Scrambled Sobol sequences of as
    few points had half of it on some, and seven times it on another.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        num_groups: Number of groups; leave out to explain each entry of `x`.
        num_designs: Number of pairs of masks $n$, at least 2.
        chunk_size: Number of masks evaluated at once; all of them by default.
            Peak memory follows it, but for the designs, some `6 * num_designs * d`
            floats.

    Returns:
        `explain(x, *args, baseline, key, groups=None)`, shares of the variance: shape
        `(num_groups,)` with groups, shaped like `x` without. See `game` for `baseline`
        and `groups`; `groups.patches` is the grid of the paper. Costs
        `num_designs * (d + 2)` evaluations of `f`.

    Raises:
        ValueError: If `f` does not return a scalar, or `baseline` or `groups` do not
            fit `x`, or only one of `groups` and `num_groups` is given, or
            `num_designs` is below 2.
        TypeError: If `x` holds integers, or `baseline` or `key` is missing.

    Example:
        >>> f = lambda x: x[0] + 2.0 * x[1]
        >>> explain = jax.jit(sobol(f, num_designs=20_000))
        >>> explain(jnp.ones(2), baseline=0.0, key=jax.random.key(0)).round(1)
        Array([0.2, 0.8], dtype=float32)

    References:
        Fel, Cadene, Chalvidal, Cord, Vigouroux and Serre (2021), *Look at the
        Variance! Efficient Black-box Explanations with Sobol-based Sensitivity
        Analysis*, arXiv:2111.04138, section 3.
        Jansen (1999), *Analysis of Variance Designs for Model Output*.
    """
    fit = _fitted("sobol", f, num_groups, num_designs, chunk_size)

    def explain(
        x: X,
        /,
        *args: *Ts,
        baseline: X | ArrayLike = REQUIRED,
        key: PRNGKey = REQUIRED,
        groups: Labels | None = None,
    ) -> Any:
        return fit(x, *args, baseline=baseline, key=key, groups=groups).total

    return explain


def sobol_fit(
    f: ScalarFn[X, *Ts],
    *,
    num_groups: int | None = None,
    num_designs: int = 32,
    chunk_size: int | None = None,
) -> Averaged[SobolIndices[X]]:
    r"""Total and first-order Sobol indices, with their standard errors.

    $$S_i = \frac{\operatorname{Var}(\mathbb{E}[v(M) \mid M_i])}
    {\operatorname{Var}(v(M))}
    \approx \frac{\frac{1}{n} \sum_{j=1}^{n} (v(B_j) - \bar v)
    \left(v(A_j^{(i)}) - v(A_j)\right)}{\widehat{\operatorname{Var}}(v)}$$

    What the total index has over the first-order one is due to interactions.
    First-order estimates are noisier, and may be negative. The standard errors take
    the designs for independent, and are too small for few of them: for an MLP with 6
    features, 95 % intervals covered 85 % of the time with 16 designs, 91 % with 32, and
    95 % with 128.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        num_groups: Number of groups; leave out to explain each entry of `x`.
        num_designs: Number of pairs of masks $n$, at least 2.
        chunk_size: Number of masks evaluated at once; all of them by default.
            Peak memory follows it, but for the designs, some `6 * num_designs * d`
            floats.

    Returns:
        `fit(x, *args, baseline, key, groups=None)`, the `SobolIndices`. Costs no more
        than `sobol`: `num_designs * (d + 2)` evaluations of `f`.

    Raises:
        ValueError: As `sobol`.
        TypeError: As `sobol`.

    Example:
        >>> fit = jax.jit(sobol_fit(lambda x: x[0] * x[1], num_designs=2000))
        >>> indices = fit(jnp.ones(2), baseline=-1.0, key=jax.random.key(0))
        >>> indices.total.round(1), indices.first.round(1)
        (Array([1., 1.], dtype=float32), Array([0., 0.], dtype=float32))

    References:
        Saltelli et al. (2010), *Variance Based Sensitivity Analysis of Model Output*,
        table 2, (b) and (f).
    """
    return _fitted("sobol_fit", f, num_groups, num_designs, chunk_size)


def _fitted(
    who: str,
    f: ScalarFn[X, *Ts],
    num_groups: int | None,
    num_designs: int,
    chunk_size: int | None,
) -> Averaged[SobolIndices[X]]:
    _checks.sizes(num_groups, chunk_size)
    n = _checks.count("num_designs", num_designs, 2)

    def fit(
        x: X,
        /,
        *args: *Ts,
        baseline: X | ArrayLike = REQUIRED,
        key: PRNGKey = REQUIRED,
        groups: Labels | None = None,
    ) -> SobolIndices[Any]:
        _checks.key(key, who)
        v, d, unflatten = players(who, f, x, args, baseline, groups, num_groups)
        points = latin_hypercube(key, n, 2 * d)

        def mask(i: Int[Array, ""]) -> Float[Array, " d"]:
            """A design: A, then A with one entry of B for each feature, then B."""
            point, which = points[i // (d + 2)], i % (d + 2)
            a, b = point[:d], point[d:]
            other = (jnp.arange(d) == which - 1) | (which == d + 1)
            return jnp.where(other, b, a)

        values = evaluate(v, mask, n * (d + 2), chunk_size).reshape(n, d + 2)
        *shares, variance = _variance.indices(values)
        total, first, total_error, first_error = map(unflatten, shares)
        evaluations = jnp.asarray(n * (d + 2), jnp.int32)
        return SobolIndices(
            total, first, total_error, first_error, variance, evaluations
        )

    return fit


def latin_hypercube(key: PRNGKey, num: int, dim: int) -> Float[Array, "num dim"]:
    """Points in the unit cube: along each axis, one in each of `num` equal parts."""
    order_key, place_key = jr.split(key)
    # In 32 bits whatever the mode, so that the same key draws the same points.
    order = jnp.argsort(jr.bits(order_key, (num, dim), jnp.uint32), axis=0)
    place = jr.uniform(place_key, (num, dim), jnp.float32)
    return (order.astype(jnp.float32) + place) / num
