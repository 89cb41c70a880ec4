"""How much the values of `f` depend on the presence of each feature."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float, Int

from .. import _checks, _regression, _tree, coalitions
from .._types import REQUIRED, Labels, PRNGKey, Sampled, ScalarFn, Ts, X
from ..games import evaluate, players


def hsic(
    f: ScalarFn[X, *Ts],
    *,
    num_groups: int | None = None,
    num_samples: int = 500,
    chunk_size: int | None = None,
) -> Sampled[X, *Ts]:
    r"""Dependence between the presence of each feature and the value of `f`.

    $$\phi_i(x) = \frac{1}{(n - 1)^2} \operatorname{tr}(K_i H L H), \qquad
    K_i = \tfrac{1}{2} - (m_i - m_i')^2, \qquad
    L = \exp\left(-\frac{(v(m) - v(m'))^2}{2 \sigma^2}\right)$$

    The Hilbert-Schmidt independence criterion. It sees any change of the distribution
    of `f`, not only of its mean or variance, and has no sign. In the limit of many
    masks it is 0 exactly where `f` does not depend on the presence of the feature; with
    $n$ masks such a feature gets about $1 / n$ of what `f` itself would. Unmoved by
    the units of `f`: the width $\sigma$ is the standard deviation of its values. A
    constant `f`, up to rounding, gets exactly 0.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        num_groups: Number of groups; leave out to explain each entry of `x`.
        num_samples: Number of masks $n$, at least 2: features are present with
            probability 1/2, independently.
        chunk_size: Number of masks at once, to evaluate `f` and to compare values; all
            of them by default. Peak memory follows it, but for the masks: about ten
            bytes per mask and feature.

    Returns:
        `explain(x, *args, baseline, key, groups=None)`, without units: shape
        `(num_groups,)` with groups, shaped like `x` without. See `game` for `baseline`
        and `groups`; `groups.patches` is the grid of the paper. Costs `num_samples`
        evaluations of `f`, and `num_samples ** 2 * d` operations.

    Raises:
        ValueError: If `f` does not return a scalar, or `baseline` or `groups` do not
            fit `x`, or only one of `groups` and `num_groups` is given, or
            `num_samples` is below 2.
        TypeError: If `x` holds integers, or `baseline` or `key` is missing.

    Example:
        >>> explain = jax.jit(hsic(lambda x: x[0] + 3.0 * x[1], num_samples=1000))
        >>> phi = explain(jnp.ones(3), baseline=0.0, key=jax.random.key(0))
        >>> phi.argsort(descending=True), bool(phi[2] < 0.001)
        (Array([1, 0, 2], dtype=int32), True)

    References:
        Novello, Fel and Vigouroux (2022), *Making Sense of Dependence: Efficient
        Black-box Explanations Using Dependence Measure*, arXiv:2206.06219, section 3.
        Da Veiga (2015), *Global Sensitivity Analysis with Dependence Measures*,
        arXiv:1311.2483, for the width.
    """
    _checks.sizes(num_groups, chunk_size)
    n = _checks.count("num_samples", num_samples, 2)

    def explain(
        x: X,
        /,
        *args: *Ts,
        baseline: X | ArrayLike = REQUIRED,
        key: PRNGKey = REQUIRED,
        groups: Labels | None = None,
    ) -> Any:
        _checks.key(key, "hsic")
        v, d, unflatten = players("hsic", f, x, args, baseline, groups, num_groups)
        design = coalitions.bernoulli(key, d)
        values = evaluate(v, design, n, chunk_size)
        masks = jax.vmap(design)(jnp.arange(n))
        return unflatten(_criterion(masks, values, chunk_size))

    return explain


def _criterion(
    masks: Array, values: Float[Array, " n"], chunk_size: int | None
) -> Float[Array, " d"]:
    n, dtype = len(values), values.dtype
    _, values = _regression.in_own_unit(values)
    # Of a constant, all values are alike and nothing depends on anything.
    alone = _regression.constant(values)
    apart = jnp.where(alone, 0, values - values.mean())
    scaled = apart / jnp.where(alone, 1, _regression.root(values.var()))
    share = masks.mean(0, dtype=dtype)

    def centred(rows: Array) -> Array:
        return rows.astype(dtype) - jnp.broadcast_to(share, rows.shape)

    def row(i: Int[Array, ""]) -> Float[Array, " d"]:
        alike = jnp.exp(-((scaled - scaled[i]) ** 2) / 2)
        # The kernel of a mask is the product of its signs, 2 m - 1, over 2. So the
        # trace is a sum over pairs, and no matrix of masks is needed.
        near = jnp.matmul(alike, centred(masks), precision=jax.lax.Precision.HIGHEST)
        return 2 * centred(masks[i]) * near

    phi = _tree.mean_samples(row, n, chunk_size) * (n / (n - 1) ** 2)
    return jnp.where(alone, 0, phi)
