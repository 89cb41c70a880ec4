"""How a linear layer shares relevance among its inputs: the rules of LRP, as data."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike

from .. import _checks, _tree

Terms: TypeAlias = Callable[[Array, Array], Sequence[tuple[Array, Array]]]
"""From the input and the weights to pairs like them, whose products share."""


class Share(NamedTuple):
    """One way to share relevance: by the products of pairs, and by the bias.

    Attributes:
        terms: From the layer's input and weights to pairs of such arrays. The layer is
            applied to each pair, and the sum of the results is what is shared.
        bias: What of the bias takes its part, and keeps it.
        factor: How much of the relevance is shared in this way.
    """

    terms: Terms
    bias: Callable[[Array], Array] = lambda b: b
    factor: float = 1.0


class Rule(NamedTuple):
    r"""How a linear layer shares its relevance among its inputs.

    $$R_i = \sum_s f_s \sum_j
    \frac{\sum_p x_i^{(p)} w_{ij}^{(p)}}{z_j + \epsilon \, \mathrm{sign}(z_j)} R_j,
    \qquad z_j = b_j^{(s)} + \sum_{i, p} x_i^{(p)} w_{ij}^{(p)}$$

    A rule is data, and a new one is a few lines: the terms, as a function of the input
    and the weights.

    Args:
        shares: The ways $s$ to share, and how much goes by each. Factors that sum to 1
            conserve relevance, where every way finds a term, and but for the bias.
        epsilon: Added to the size of every denominator.

    Example:
        Shares by absolute contributions, which no cancellation can blow up.

        >>> absolute = Rule((Share(lambda x, w: [(abs(x), abs(w))], abs),))
        >>> f = lambda x: x @ jnp.array([1.0, -2.0])
        >>> lrp(f, absolute)(jnp.array([3.0, 1.0]))
        Array([0.6, 0.4], dtype=float32)

    References:
        Montavon, Binder, Lapuschkin, Samek and Müller (2019), *Layer-Wise Relevance
        Propagation: An Overview*, table 10.1.
    """

    shares: tuple[Share, ...]
    epsilon: float = 1e-9

    def pass_back(
        self,
        layer: Callable[[Array, Array], Array],
        x: Array,
        w: Array,
        bias: Array | None,
        relevance: Array,
    ) -> Array:
        """The relevance of `x`, where `layer(x, w) + bias` has `relevance`."""
        total = jnp.zeros(x.shape, _tree.accumulator(x.dtype))
        for terms, of_bias, factor in self.shares:
            pairs = terms(x, w)
            z, pulls = zip(*(_applied(layer, a, b) for a, b in pairs), strict=True)
            z = list(map(_wide, z))
            if bias is not None:
                z.append(_wide(jnp.broadcast_to(of_bias(bias), z[0].shape)))
            part = factor * shared(relevance, sum(z[1:], z[0]), self.epsilon)
            for (a, _), pull in zip(pairs, pulls, strict=True):
                (back,) = pull(part.astype(relevance.dtype))
                total += _wide(a) * _wide(back)
        return total.astype(x.dtype)


def _applied(layer: Any, x: Array, w: Array) -> tuple[Array, Any]:
    return jax.vjp(lambda x: layer(x, w), x)


def _wide(array: Array) -> Array:
    return array.astype(_tree.accumulator(array.dtype))


def shared(relevance: Array, z: Array, epsilon: float) -> Array:
    """Relevance per unit of `z`, which is moved away from zero; zero is positive.

    What is no term of anything, where `z` is zero, gets nothing.
    """
    least = max(epsilon, float(jnp.finfo(relevance.dtype).tiny))  # for float16
    z = _wide(z)
    sign = jnp.where(z < 0, -jnp.ones_like(z), jnp.ones_like(z))
    ratio = _wide(relevance) / (z + least * sign)
    return jnp.where(z == 0, jnp.zeros_like(ratio), ratio)


def _positive(a: Array) -> Array:
    return jnp.maximum(a, jnp.zeros((), a.dtype))


def _negative(a: Array) -> Array:
    return jnp.minimum(a, jnp.zeros((), a.dtype))


def _towards_plus(x: Array, w: Array) -> Sequence[tuple[Array, Array]]:
    return [(_positive(x), _positive(w)), (_negative(x), _negative(w))]


def _towards_minus(x: Array, w: Array) -> Sequence[tuple[Array, Array]]:
    return [(_positive(x), _negative(w)), (_negative(x), _positive(w))]


def epsilon(epsilon: float = 1e-6) -> Rule:
    r"""Share by contributions to the sum: LRP-$\epsilon$, or LRP-0 for a tiny one.

    $$R_i = \sum_j \frac{x_i w_{ij}}{z_j + \epsilon \, \mathrm{sign}(z_j)} R_j$$

    With a tiny $\epsilon$ and ReLUs alone it is the input times the gradient. A larger
    one absorbs what is weak or contradictory. The bias keeps its part.

    Args:
        epsilon: Added to the size of $z$, in its units.

    Raises:
        ValueError: If `epsilon` is negative.

    References:
        Bach et al. (2015), *On Pixel-Wise Explanations for Non-Linear Classifier
        Decisions by Layer-Wise Relevance Propagation*, equation 58.
    """
    _checks.positive("epsilon", epsilon, zero=True)
    return Rule((Share(lambda x, w: [(x, w)]),), epsilon)


def gamma(gamma: float = 0.25) -> Rule:
    r"""Favour positive weights: LRP-$\gamma$, for convolutions above the lowest.

    $$R_i = \sum_j \frac{x_i (w_{ij} + \gamma w_{ij}^+)}
    {\sum_{0,i} x_i (w_{ij} + \gamma w_{ij}^+)} R_j$$

    The sum runs over the bias too, as the weight of a unit that is 1, so the bias is
    favoured like any weight. It is meant for inputs and outputs that are not negative:
    elsewhere a favoured sum can be zero where the true one is not.

    Args:
        gamma: How much; 0 is LRP-0, and a large one approaches LRP-z+.

    Raises:
        ValueError: If `gamma` is negative.

    References:
        Montavon, Binder, Lapuschkin, Samek and Müller (2019), *Layer-Wise Relevance
        Propagation: An Overview*, section 10.2.
    """
    _checks.positive("gamma", gamma, zero=True)
    favour = lambda w: w + gamma * _positive(w)
    return Rule((Share(lambda x, w: [(x, favour(w))], favour),))


def zplus() -> Rule:
    r"""Share by positive contributions alone: LRP-z+, or deep Taylor decomposition.

    $$R_i = \sum_j \frac{(x_i w_{ij})^+}{\sum_i (x_i w_{ij})^+ + b_j^+} R_j$$

    Relevance keeps its sign on the way down. What is against the output is not shown,
    and the relevance of a unit without a positive contribution is lost.

    References:
        Montavon, Lapuschkin, Binder, Samek and Müller (2017), *Explaining Nonlinear
        Classification Decisions with Deep Taylor Decomposition*, arXiv:1512.02479.
    """
    return Rule((Share(_towards_plus, _positive),))


def alphabeta(alpha: float = 2.0, beta: float = 1.0) -> Rule:
    r"""Share by positive and by negative contributions, apart: LRP-$\alpha\beta$.

    $$R_i = \sum_j \left(
    \alpha \frac{(x_i w_{ij})^+}{\sum_i (x_i w_{ij})^+ + b_j^+} -
    \beta \frac{(x_i w_{ij})^-}{\sum_i (x_i w_{ij})^- + b_j^-} \right) R_j$$

    Where a unit has contributions of one sign only, the part of the other is lost.

    Args:
        alpha: Weight of the contributions that agree; `alpha - beta` must be 1.
        beta: Weight of those that disagree; 0 gives LRP-z+.

    Raises:
        ValueError: If `beta` is negative, or `alpha - beta` is not 1.

    References:
        Bach et al. (2015), *On Pixel-Wise Explanations for Non-Linear Classifier
        Decisions by Layer-Wise Relevance Propagation*, equation 60.
    """
    _checks.positive("alpha", alpha)
    _checks.positive("beta", beta, zero=True)
    if abs(alpha - beta - 1) > 1e-6:
        raise ValueError(
            "`alpha - beta` must be 1, or relevance is made or lost, but `alpha` is "
            f"{alpha} and `beta` is {beta}. Pass for example `alpha=2.0, beta=1.0`."
        )
    return Rule(
        (
            Share(_towards_plus, _positive, alpha),
            Share(_towards_minus, _negative, -beta),
        )
    )


def zbox(low: ArrayLike, high: ArrayLike) -> Rule:
    r"""For a first layer on inputs between two bounds, such as pixels: LRP-$z^B$.

    $$R_i = \sum_j \frac{x_i w_{ij} - l_i w_{ij}^+ - h_i w_{ij}^-}
    {b_j + \sum_i x_i w_{ij} - l_i w_{ij}^+ - h_i w_{ij}^-} R_j$$

    The bias keeps its part, as in `epsilon`; the paper has none.

    Args:
        low: Lowest value that an input can have; broadcast to the layer's input.
        high: Highest value that an input can have.

    Raises:
        ValueError: If `low` is above `high`.

    References:
        Montavon, Lapuschkin, Binder, Samek and Müller (2017), *Explaining Nonlinear
        Classification Decisions with Deep Taylor Decomposition*, arXiv:1512.02479,
        section 3.2.
    """
    traced = _checks.is_traced(low) or _checks.is_traced(high)
    if not traced and np.any(np.greater(low, high)):
        raise ValueError(
            f"`low` must not be above `high`, but `low` is {low!r} and `high` is "
            f"{high!r}. Pass the bounds of the layer's input, for example "
            "`zbox(0.0, 1.0)` for pixels."
        )

    def terms(x: Array, w: Array) -> Sequence[tuple[Array, Array]]:
        bound = lambda b: jnp.broadcast_to(jnp.asarray(b, x.dtype), x.shape)
        return [(x, w), (-bound(low), _positive(w)), (-bound(high), _negative(w))]

    return Rule((Share(terms),))


def wsquare() -> Rule:
    r"""Share by squared weights, whatever the input: LRP-$w^2$.

    $$R_i = \sum_j \frac{w_{ij}^2}{\sum_i w_{ij}^2} R_j$$

    For a first layer on inputs without bounds.

    References:
        Montavon, Lapuschkin, Binder, Samek and Müller (2017), *Explaining Nonlinear
        Classification Decisions with Deep Taylor Decomposition*, arXiv:1512.02479,
        section 3.1.
    """
    return Rule((Share(lambda x, w: [(jnp.ones_like(x), w * w)], jnp.zeros_like),))


def flat() -> Rule:
    r"""Share evenly among the inputs of a unit: LRP-flat, for the lowest layers.

    $$R_i = \sum_j \frac{1}{\sum_i 1} R_j$$

    References:
        Lapuschkin, Wäldchen, Binder, Montavon, Samek and Müller (2019), *Unmasking
        Clever Hans Predictors*, arXiv:1902.10178.
    """
    return Rule(
        (Share(lambda x, w: [(jnp.ones_like(x), jnp.ones_like(w))], jnp.zeros_like),)
    )
