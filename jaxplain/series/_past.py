"""How far back a series has to be explained."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float, Int

from .. import _checks, _tree, games
from .._types import REQUIRED, Explains, ScalarFn, Ts, X
from . import _valid


class Past(NamedTuple):
    """What the past of a series is worth, at every place to cut it.

    Attributes:
        values: Of all steps before each step, shape `(steps,)`; 0 for the first.
        first: First step that has to be explained: everything before it, and before
            every earlier step, is worth less than the tolerance.
    """

    values: Float[Array, " steps"]
    first: Int[Array, ""]


def past(
    f: ScalarFn[X, *Ts], *, tolerance: float, chunk_size: int | None = None
) -> Explains[Past]:
    r"""The Shapley value of everything before each step, against all from it on.

    $$\phi_t = \tfrac12 \left( v(P_t) - v(\varnothing) + v(N) - v(N \setminus P_t)
    \right), \quad P_t = \{0, \dots, t - 1\}$$

    Exact, since two players have only these coalitions. Recurrent networks forget:
    where $\phi_t$ is small, the steps before $t$ can be one group, as `groups.prune`
    makes them, and only the recent ones are worth a value each.

    `first` differs from the paper, which looks from the end for the first cut
    with a small value. There, what speaks for and what speaks against may cancel while
    both are large; here, every earlier past must be small as well. The value of a past
    is still a sum, so steps within it may cancel.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        tolerance: How much the value of the past may be, in units of `f`. The paper
            takes 0.025 for a probability.
        chunk_size: Number of coalitions evaluated at once; all of them by default.

    Returns:
        `explain(x, *args, baseline)`, which returns a `Past`. All leaves of `x` have
        time on their first axis. Costs two evaluations of `f` per step.

    Raises:
        ValueError: If `tolerance` is not positive, the leaves of `x` differ in
            their number of steps, `f` does not return a scalar, or `baseline` does not
            fit `x`.
        TypeError: If `x` holds integers, or `baseline` is missing.

    Example:
        >>> recent = lambda x: x[-2] * x[-1]
        >>> found = past(recent, tolerance=0.1)(jnp.ones(4), baseline=0.0)
        >>> found.values, found.first
        (Array([0. , 0. , 0. , 0.5], dtype=float32), Array(2, dtype=int32))

    References:
        Bento, Saleiro, Cruz, Figueiredo and Bizarro (2021), *TimeSHAP: Explaining
        Recurrent Models through Sequence Perturbations*, arXiv:2012.00073, on
        temporal coalition pruning.
    """
    _checks.positive("tolerance", tolerance)
    _checks.chunk_size(chunk_size)

    def explain(x: X, /, *args: *Ts, baseline: X | ArrayLike = REQUIRED) -> Past:
        x = _checks.inputs(x)
        steps = _valid.steps(x)
        time = jnp.arange(steps)
        everywhere = jax.tree.map(lambda _: time, x)
        v = games.game(f, x, *args, baseline=baseline, groups=everywhere)
        wide = _tree.widest(x)

        def design(i: Array) -> Array:
            before = time < i % steps
            return jnp.where(i < steps, before, ~before)

        value = lambda mask: v(mask.astype(wide))
        alone, rest = games.evaluate(value, design, 2 * steps, chunk_size).reshape(
            2, -1
        )
        values = (alone - alone[0] + rest[0] - rest) / 2
        small = jnp.abs(values) < tolerance
        # The first cut is before the first step, where there is no past at all.
        first = jnp.cumprod(small.astype(jnp.int32)).sum(dtype=jnp.int32) - 1
        dtype = max((a.dtype for a in _tree.leaves(x)), key=lambda d: d.itemsize)
        return Past(values.astype(dtype), jnp.maximum(first, 0))

    return explain
