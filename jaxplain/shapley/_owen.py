"""Values of features that come in unions."""

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike

from .. import _checks, _regression, _tree, games
from .._types import REQUIRED, Draw, Grouped, Labels, ScalarFn, Ts, X

MOST = 2**25
"""Coalitions to enumerate."""


def owen_values(
    f: ScalarFn[X, *Ts],
    *,
    unions: Sequence[int] | np.ndarray,
    num_groups: int | None = None,
    chunk_size: int | None = None,
) -> Grouped[X, *Ts]:
    r"""Shapley values of features whose unions come as one, exactly.

    A union joins as a whole, or one of its members at a time, but never a part of it
    together with a part of another:

    $$\phi_i = \sum_{H \subseteq U \setminus u} \sum_{T \subseteq B_u \setminus i}
    \frac{v(Q_H \cup T \cup i) - v(Q_H \cup T)}
    {|U| \binom{|U| - 1}{|H|}\, |B_u| \binom{|B_u| - 1}{|T|}}$$

    for feature $i$ of union $B_u$, of the unions $U$; $Q_H$ are the members of the
    unions $H$. Efficient, and the values of a union sum to its own Shapley value. For
    times and then features, or superpixels of superpixels: far fewer coalitions than
    without unions, `sum(2 ** (U - 1 + size))` over them.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        unions: The union of each player, integers from 0: one per group, or per entry
            of `x` in the order of its leaves.
        num_groups: Number of groups; leave out to value each entry of `x`.
        chunk_size: Number of coalitions evaluated at once; all of them by default.

    Returns:
        `explain(x, *args, baseline, groups=None)`, in the units of `f`: shape
        `(num_groups,)` with groups, shaped like `x` without.

    Raises:
        ValueError: If `unions` is not one label per player, there are too many
            coalitions to enumerate, or as `shapley_values`.
        TypeError: If `x` holds integers, or `baseline` is missing.

    Example:
        >>> f = lambda x: x[0] * x[1] * x[2]
        >>> owen_values(f, unions=[0, 0, 1])(jnp.ones(3), baseline=0.0)
        Array([0.25, 0.25, 0.5 ], dtype=float32)

    References:
        Owen (1977), *Values of Games with a Priori Unions*, section 3.
    """
    _checks.sizes(num_groups, chunk_size)
    union_of = _checks.union_labels(unions)

    def explain(
        x: X,
        /,
        *args: *Ts,
        baseline: X | ArrayLike = REQUIRED,
        groups: Labels | None = None,
    ) -> Any:
        v, d, unflatten = games.players(
            "owen_values", f, x, args, baseline, groups, num_groups
        )
        _checks.one_union_each(union_of, d)
        draw, weigh, number = _enumerate(union_of)
        values = games.evaluate(v, draw, number, chunk_size)
        known = jnp.isfinite(values).all()
        above = jnp.where(known, values - values[0], jnp.nan)

        def part(indices: Array, valid: Array) -> tuple:
            weights = jax.vmap(weigh)(indices).astype(above.dtype)
            gain = jnp.where(valid, above[indices], 0)
            return _regression.dot(gain, weights), ()

        return unflatten(_tree.loop(part, number, chunk_size)[0])

    return explain


def _enumerate(union_of: np.ndarray) -> tuple[Draw, Draw, int]:
    """The coalitions, the weight of each for every player, and their number."""
    size = np.bincount(union_of)
    num_unions = len(size)
    place = np.array([np.sum(union_of[:i] == u) for i, u in enumerate(union_of)])
    # As Python integers, which do not overflow.
    blocks = [2 ** (num_unions - 1 + int(b)) for b in size]
    number = sum(blocks)
    if number > MOST:
        raise ValueError(
            f"`unions` must leave at most {MOST} coalitions to enumerate, but these "
            f"leave {number}. Form smaller unions, or sample with `owen_shap`."
        )
    start = jnp.asarray(np.cumsum(blocks) - np.array(blocks), jnp.int32)
    sizes, of = jnp.asarray(size, jnp.int32), jnp.asarray(union_of, jnp.int32)
    inside, outside = (jnp.asarray(table) for table in _union_weights(size))
    ways = jnp.asarray(_ways(num_unions))

    def split(i: Array) -> tuple[Array, Array, Array]:
        """Which union is open, which members are in, and which other unions."""
        opened = (
            jnp.searchsorted(start, i.astype(jnp.int32), side="right").astype(jnp.int32)
            - 1
        )
        rest = i.astype(jnp.int32) - start[opened]
        others = rest >> sizes[opened]
        member = (rest >> jnp.asarray(place, jnp.int32)) % 2 == 1
        rank = of - (of > opened).astype(jnp.int32)
        return opened, member, (others >> rank) % 2 == 1

    def draw(i: Array) -> Array:
        opened, member, whole = split(i)
        return jnp.where(of == opened, member, whole)

    def weigh(i: Array) -> Array:
        opened, member, whole = split(i)
        own = of == opened
        present = (own & member).sum()
        # A union is there as a whole: count it once.
        joined = (~own & whole & jnp.asarray(place == 0)).sum()
        weight = jnp.where(member, inside[opened, present], -outside[opened, present])
        return jnp.where(own, weight * ways[joined], 0)

    return draw, weigh, number


def _ways(num_unions: int) -> np.ndarray:
    """The weight of each number of unions that came before."""
    return np.array(
        [1 / (num_unions * math.comb(num_unions - 1, h)) for h in range(num_unions)]
    )


def _union_weights(size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The weight of a part of each union, by its size, to a member and to others."""
    inside, outside = np.zeros((2, len(size), size.max() + 1))
    for u, b in enumerate(size):
        for t in range(b):
            weight = 1 / (int(b) * math.comb(int(b) - 1, t))
            inside[u, t + 1] = outside[u, t] = weight
    return inside, outside
