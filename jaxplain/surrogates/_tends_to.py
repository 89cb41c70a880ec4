"""The weights that LIME tends to, from few evaluations."""

import jax.numpy as jnp
from jaxtyping import Array

from .. import _regression
from .._types import ScalarFn, Ts, X
from ..shapley import _gaussian, _methods
from ..shapley._exact import exact
from ..shapley._sample import Estimate, Estimated, Sample, stratified
from ..shapley._semivalues import Semivalue
from ._kernel import check
from ._limit import closed_form, limit_functional
from ._types import Distance


def lime_limit(
    f: ScalarFn[X, *Ts],
    *,
    num_samples: int = 512,
    num_groups: int | None = None,
    distance: Distance = "cosine",
    width: float | None = None,
    chunk_size: int | None = None,
) -> Estimated[X, *Ts]:
    r"""The weights of LIME with infinitely many samples, and their standard errors.

    These weights are a linear functional of the game, so the Gaussian process of
    `gp_shap` has them in closed form: the odd part of the game as there, and the even
    part with a free constant. Several times less squared error than `lime` for as many
    evaluations on smooth models (see the page on LIME), and no ridge in the way. Exact
    where the budget covers all coalitions.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        num_samples: Number of coalitions between the empty and the full one. If they
            are sampled, `2 * d` is the least, and 10 to 20 for each feature a good
            number.
        num_groups: Number of groups $d$; leave out to weigh each entry of `x`.
        distance: `"cosine"` or `"euclidean"`, as for `lime`.
        width: Kernel width; by default that of `lime`.
        chunk_size: Number of coalitions evaluated at once; all of them by default.

    Returns:
        `fit(x, *args, baseline, key, groups=None)`, which returns an `Estimate` of
        `values` (the weights), `standard_error` and `evaluations`.

    Raises:
        ValueError: If `num_samples` is too small, `width` is out of range, and as
            `lime`.
        TypeError: As `lime`.

    Example:
        >>> fit = lime_limit(lambda x: 2.0 * x[0] - x[1])
        >>> found = fit(jnp.ones(2), baseline=0.0, key=jax.random.key(0))
        >>> found.values.round(3), found.evaluations
        (Array([ 2., -1.], dtype=float32), Array(4, dtype=int32))

    References:
        Garreau and von Luxburg (2020), *Explaining the Explainer: A First Theoretical
        Analysis of LIME*, arXiv:2001.03447, on the limit.
    """
    check(distance, width)
    closed_form(distance)

    def value(sample: Sample) -> Semivalue:
        return Semivalue(*limit_functional(sample.num_groups, width, distance))

    method = _methods.Method(
        stratified("binomial"),
        lambda sample: _posterior(sample, value(sample)),
        lambda d: 2 * d,
        lambda sample: exact(sample, value(sample)),
    )
    return _methods.fitted("lime_limit", method, f, num_samples, num_groups, chunk_size)


def _posterior(sample: Sample, value: Semivalue) -> Estimate[Array]:
    odd, even = (
        part(sample, value) for part in (_gaussian.odd_part, _gaussian.even_part)
    )
    known = odd.known & even.known
    return Estimate(
        jnp.where(known, odd.mean + even.mean, jnp.nan),
        jnp.where(known, _regression.root(odd.variance + even.variance), jnp.nan),
        sample.evaluations,
    )
