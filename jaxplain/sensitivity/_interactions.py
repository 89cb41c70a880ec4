"""How much of the variance of `f` two factors explain only together."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float, Int

from .. import _checks, _variance
from .._types import REQUIRED, Labels, PRNGKey, ScalarFn, Ts, X
from ..games import evaluate
from . import _design
from ._factors import factors
from ._types import Analysis, SobolInteractions


def sobol_interactions(
    f: ScalarFn[X, *Ts],
    *,
    num_groups: int | None = None,
    num_samples: int = 1024,
    num_replicates: int = 8,
    design: str = "sobol",
    chunk_size: int | None = None,
) -> Analysis[SobolInteractions]:
    r"""Second-order Sobol indices: what two factors explain beyond either alone.

    $$S_{ij} = \frac{\operatorname{Var}(\mathbb{E}[f(X) \mid X_i, X_j])}
    {\operatorname{Var} f(X)} - S_i - S_j
    \approx \frac{\frac{1}{n} \sum_k
    \left(f(A_k^{(i)}) - f(A_k)\right) \left(f(B_k^{(j)}) - f(B_k)\right)}
    {\widehat{\operatorname{Var}} f}$$

    Factors and designs are those of `sobol_indices`. $A^{(i)}$ is $A$ with factor $i$
    of $B$, and $B^{(j)}$ is $B$ with factor $j$ of $A$. A factor without effect
    interacts with exactly 0. Estimates may be negative, and are noisier than
    first-order ones: read them with their standard errors.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        num_groups: Number of groups; leave out to explain each entry of the input.
        num_samples: Number of samples, as in `sobol_indices`.
        num_replicates: Number of independent parts of the Sobol design, at least 2.
        design: `"sobol"`, or `"random"` for independent samples.
        chunk_size: Number of inputs evaluated at once; all of them by default.
            Peak memory follows it, but for `num_samples * d ** 2` floats.

    Returns:
        `analyse(low, high, *args, key, groups=None)`, the `SobolInteractions`. Costs
        `num_samples * (2 * d + 2)` evaluations of `f`.

    Raises:
        ValueError: As `sobol_indices`.
        TypeError: As `sobol_indices`.

    Example:
        >>> analyse = jax.jit(sobol_interactions(lambda x: 3.0 * x[0] * x[1] + x[2]))
        >>> out = analyse(-jnp.ones(3), jnp.ones(3), key=jax.random.key(0))
        >>> jnp.abs(out.second).round(1)
        Array([[0. , 0.7, 0. ],
               [0.7, 0. , 0. ],
               [0. , 0. , 0. ]], dtype=float32)

    References:
        Saltelli (2002), *Making Best Use of Model Evaluations to Compute Sensitivity
        Indices*, theorem 2, on the design.
    """
    _checks.sizes(num_groups, chunk_size)
    num_parts = _design.replicates(num_samples, num_replicates, design)

    def analyse(
        low: X | ArrayLike,
        high: X,
        /,
        *args: Any,
        key: PRNGKey = REQUIRED,
        groups: Labels | None = None,
    ) -> SobolInteractions:
        _checks.key(key, "sobol_interactions")
        value, labels, number, dtype, _ = factors(
            "sobol_interactions", f, low, high, args, groups, num_groups
        )
        pair = _design.pairs(key, num_samples, num_parts, len(labels))
        half = number + 1

        def mixed(i: Int[Array, ""]) -> Float[Array, " d"]:
            """A, and A with each group of B; then B, and B with each group of A."""
            both, which = pair(i // (2 * half)), (i % (2 * half)).astype(jnp.int32)
            a, b = jnp.where(which < half, both, both[::-1])
            return jnp.where(labels == which % half - 1, b, a)

        values = evaluate(value, mixed, num_samples * 2 * half, chunk_size)
        values = values.reshape(num_samples, 2, half)
        second, error = _variance.interactions(values, num_parts)
        evaluations = jnp.asarray(num_samples * 2 * half, jnp.int32)
        return SobolInteractions(second.astype(dtype), error.astype(dtype), evaluations)

    return analyse
