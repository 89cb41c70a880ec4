"""How much pairs of features matter together."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, Int

from .. import _checks, games
from .._regression import root
from .._types import REQUIRED, Labels, PRNGKey, ScalarFn, Ts, X
from ._exact import exact
from ._faith import nearest_pairs
from ._gaussian import gaussian_process
from ._pairs import exact_pairs, posterior_pairs
from ._sample import Sample, enumerates, every_coalition, observe, stratified


class Interactions(NamedTuple):
    """A game of main effects and pairs: `main.sum() + pairs.sum() / 2` is its total.

    Attributes:
        main: What each player adds alone, in the units of `f`: shape `(d,)`. Players
            are groups, or the entries of `x` in the order of its leaves.
        pairs: What two players add together beyond that: symmetric, shape `(d, d)`,
            with a diagonal of zeros.
        standard_error: Standard error of each pair, shape `(d, d)`; 0 where exact.
        evaluations: Number of evaluations of `f`.
    """

    main: Float[Array, " d"]
    pairs: Float[Array, "d d"]
    standard_error: Float[Array, "d d"]
    evaluations: Int[Array, ""]


def shapley_interactions(
    f: ScalarFn[X, *Ts],
    *,
    num_samples: int = 1024,
    num_groups: int | None = None,
    chunk_size: int | None = None,
) -> Callable[..., Interactions]:
    r"""Shapley interaction indices of pairs, and what they leave to single features.

    $$I_{ij} = \sum_{S \not\ni i, j} \frac{|S|!\,(d - |S| - 2)!}{(d - 1)!}
    \left(v(S \cup ij) - v(S \cup i) - v(S \cup j) + v(S)\right)$$

    The main effects are the Shapley values less half of a feature's interactions, so
    that `main + pairs.sum(1) / 2` are the Shapley values and all of it sums to
    `f(x) - f(b)`. Exact where the budget covers all coalitions; otherwise the
    posterior of a Gaussian process: on the odd part of the game for the values, as
    `gp_shap`, and on the even part, from the same evaluations, for the interactions.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        num_samples: Number of coalitions between the empty and the full one. If they
            are sampled, `2 * d` is the least; there are `d * (d - 1) / 2` interactions
            to find.
        num_groups: Number of groups $d$; leave out to take each entry of `x`.
        chunk_size: Number of coalitions evaluated at once; all of them by default.

    Returns:
        `explain(x, *args, baseline, key, groups=None)`, which returns `Interactions`.
        Costs at most `num_samples + 2` evaluations of `f`.

    Raises:
        ValueError: If there is one feature only, and as `kernel_shap`.
        TypeError: As `kernel_shap`.

    Example:
        >>> explain = shapley_interactions(lambda x: x[0] * x[1] + x[2])
        >>> x, key = jnp.array([2.0, 3.0, 5.0]), jax.random.key(0)
        >>> found = explain(x, baseline=0.0, key=key)
        >>> found.pairs[0].round(), found.main[2].round()
        (Array([0., 6., 0.], dtype=float32), Array(5., dtype=float32))

    References:
        Grabisch and Roubens (1999), *An Axiomatic Approach to the Concept of
        Interaction Among Players in Cooperative Games*, definition 2.
        Bordt and von Luxburg (2023), *From Shapley Values to Generalized Additive
        Models and back*, arXiv:2209.04012, theorem 6, for the main effects.
    """

    def estimate(sample: Sample, is_exact: bool) -> Interactions:
        d = sample.num_groups
        if is_exact:
            values, pairs = exact(sample).values, exact_pairs(sample)
            error = jnp.zeros_like(pairs)
        else:
            values, found = gaussian_process(sample).values, posterior_pairs(sample)
            pairs = _symmetric(found.mean, d)
            error = _symmetric(root(found.variance), d)
        main = values - pairs.sum(1) / 2
        return Interactions(main, pairs, error, sample.evaluations)

    least = lambda d: 2 * d
    return _explainer(
        "shapley_interactions", f, num_samples, num_groups, chunk_size, estimate, least
    )


def faith_shap(
    f: ScalarFn[X, *Ts],
    *,
    num_samples: int = 1024,
    num_groups: int | None = None,
    chunk_size: int | None = None,
) -> Callable[..., Interactions]:
    r"""The game of single features and pairs that is most faithful to `f`.

    $$\min_{a} \sum_{S} \frac{d - 1}{\binom{d}{|S|}\, |S|\, (d - |S|)}
    \Bigl(v(S) - v(\emptyset) - \sum_{i \in S} a_i - \sum_{i < j \in S} a_{ij}\Bigr)^2$$

    subject to the right total: `main.sum() + pairs.sum() / 2` is `f(x) - f(b)`.
    The Faith-Shap index of order 2: what `kernel_shap` fits, with pairs. Exact where
    the budget covers all coalitions; otherwise these are drawn in pairs with their
    complements, without replacement, with as many of each size.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        num_samples: Number of coalitions between the empty and the full one. If they
            are sampled, at least one for each of the `d * (d + 1) / 2` unknowns, and
            better three.
        num_groups: Number of groups $d$; leave out to take each entry of `x`.
        chunk_size: Number of coalitions evaluated at once; all of them by default.

    Returns:
        `explain(x, *args, baseline, key, groups=None)`, which returns `Interactions`.
        Costs at most `num_samples + 2` evaluations of `f`. An interaction that the
        coalitions do not determine is NaN.

    Raises:
        ValueError: If there is one feature only, and as `kernel_shap`.
        TypeError: As `kernel_shap`.

    Example:
        >>> explain = faith_shap(lambda x: x[0] * x[1] + x[2])
        >>> x, key = jnp.array([2.0, 3.0, 5.0]), jax.random.key(0)
        >>> found = explain(x, baseline=0.0, key=key)
        >>> found.pairs[0].round(), found.main[2].round()
        (Array([0., 6., 0.], dtype=float32), Array(5., dtype=float32))

    References:
        Tsai, Yeh and Ravikumar (2023), *Faith-Shap: The Faithful Shapley Interaction
        Index*, arXiv:2203.00870, equation 16.
    """

    def estimate(sample: Sample, is_exact: bool) -> Interactions:
        d = sample.num_groups
        main, pairs, error = nearest_pairs(sample)
        error = jnp.zeros_like(error) if is_exact else error
        return Interactions(
            main, _symmetric(pairs, d), _symmetric(error, d), sample.evaluations
        )

    least = lambda d: d * (d + 1) // 2
    return _explainer(
        "faith_shap", f, num_samples, num_groups, chunk_size, estimate, least
    )


def _symmetric(pairs: Array, d: int) -> Float[Array, "d d"]:
    upper = jnp.zeros((d, d), pairs.dtype).at[np.triu_indices(d, 1)].set(pairs)
    return upper + upper.T


def _explainer(
    who: str,
    f: ScalarFn[X, *Ts],
    num_samples: int,
    num_groups: int | None,
    chunk_size: int | None,
    estimate: Callable[[Sample, bool], Interactions],
    least: Callable[[int], int],
) -> Callable[..., Interactions]:
    _checks.count("num_samples", num_samples)
    _checks.sizes(num_groups, chunk_size)

    def explain(
        x: X,
        /,
        *args: *Ts,
        baseline: X | ArrayLike = REQUIRED,
        key: PRNGKey = REQUIRED,
        groups: Labels | None = None,
    ) -> Any:
        _checks.key(key, who)
        v, d, _ = games.players(who, f, x, args, baseline, groups, num_groups)
        _checks.several_players(who, d)
        is_exact = enumerates(d, num_samples)
        if not is_exact:
            _checks.enough_samples(who, num_samples, d, least(d))
        design = (
            every_coalition(d)
            if is_exact
            else (stratified("leverage")(key, d, num_samples))
        )
        sample = observe(v, design, d, chunk_size)
        main, pairs, error, evaluations = estimate(sample, is_exact)
        unit = sample.unit
        return Interactions(main * unit, pairs * unit, error * unit, evaluations)

    return explain
