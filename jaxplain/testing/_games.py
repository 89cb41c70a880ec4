"""Axioms of games: what all players get together, and the Shapley value itself."""

import itertools
import math
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from . import _calls, _compare, _draw, _sums
from ._calls import ExplainOf, Jit


def check_efficient(
    explain_of: ExplainOf,
    *,
    num_players: int = 4,
    tol: float | None = None,
    num_examples: int = 25,
    seed: int = 0,
    jit: Jit = jax.jit,
    **refs: Any,
) -> None:
    r"""Check that the players of any game share what all of them are worth.

    $$\sum_i \phi_i(v) = v(\{1, \dots, d\}) - v(\emptyset)$$

    On games with a value of their own for every coalition, far from additive. The game
    is a function of who is present, linear in each player, so explainers that
    differentiate can take it too: $f(m) = \sum_S v(S) \prod_{i \in S} m_i
    \prod_{i \notin S} (1 - m_i)$, at $m = 1$ with the baseline 0. Costs one
    compilation of the explainer, and `num_examples` explanations.

    Args:
        explain_of: `explain_of(f)` returns the explainer.
        num_players: Number of players; there are `2 ** num_players` coalitions.
        tol: Largest error, relative to the largest value of a coalition; rounding by
            default.
        num_examples: Number of games.
        seed: Of what is drawn.
        jit: How the explainer is compiled, if it is not yet.
        **refs: Keywords of the call. A `baseline` that is drawn is zero here, since
            that is the empty coalition.

    Raises:
        AssertionError: If the sum differs; with both sides and the gap.
        ValueError: If `baseline` is neither drawn nor zero.

    Example:
        >>> check_efficient(jx.shapley_values, baseline=0.0)

    References:
        Shapley (1953), *A Value for n-Person Games*, Contributions to the Theory of
        Games II: axiom 2.
    """
    for table, phi in _played(explain_of, num_players, num_examples, seed, jit, refs):
        _compare.same(
            "The players of a game share what all of them are worth",
            _sums.total(phi),
            np.asarray(table[-1] - table[0], np.float64),
            at={"values": table, "of each": phi},
            tol=_compare.rounding(phi) if tol is None else tol,
            scale=1 + _sums.largest(table),
            hint="Coalition k of `values` holds player i if bit i of k is set.",
        )


def check_shapley(
    explain_of: ExplainOf,
    *,
    num_players: int = 4,
    tol: float | None = None,
    num_examples: int = 25,
    seed: int = 0,
    jit: Jit = jax.jit,
    **refs: Any,
) -> None:
    r"""Check that the values of any game are its Shapley values, by their definition.

    $$\phi_i(v) = \frac{1}{d!} \sum_\pi
    v(\pi_{< i} \cup \{i\}) - v(\pi_{< i})$$

    over all orders $\pi$ of the players. Efficiency, symmetry, dummy and linearity
    together are as much as this. On the games of `check_efficient`. Costs one
    compilation of the explainer, `num_examples` explanations, and `num_players!` orders
    on the host for each.

    Args:
        explain_of: `explain_of(f)` returns the explainer.
        num_players: Number of players; seven or more take minutes.
        tol: Largest error, relative to the largest value of a coalition; rounding by
            default.
        num_examples: Number of games.
        seed: Of what is drawn.
        jit: How the explainer is compiled, if it is not yet.
        **refs: Keywords of the call. A `baseline` that is drawn is zero here, since
            that is the empty coalition.

    Raises:
        AssertionError: If a value differs; with all of them.
        ValueError: If `baseline` is neither drawn nor zero.

    Example:
        >>> check_shapley(jx.shapley_values, num_players=3, baseline=0.0)

    References:
        Shapley (1953), *A Value for n-Person Games*, Contributions to the Theory of
        Games II: equation 12.
    """
    for table, phi in _played(explain_of, num_players, num_examples, seed, jit, refs):
        _compare.same(
            "The values of a game are its Shapley values",
            phi,
            _by_definition(table, num_players).astype(np.asarray(phi).dtype),
            at={"values": table},
            tol=tol,
            scale=1 + _sums.largest(table),
            hint="Coalition k of `values` holds player i if bit i of k is set.",
        )


def _played(
    explain_of: ExplainOf,
    num_players: int,
    num_examples: int,
    seed: int,
    jit: Jit,
    refs: dict[str, Any],
) -> Iterator[tuple[np.ndarray, Any]]:
    """The values of each game, and what the explainer gives its players."""
    baseline = refs.get("baseline")
    if not isinstance(baseline, _draw.Drawn) and not _sums.is_zero(baseline):
        raise ValueError(
            "`baseline` must be zero, which is the empty coalition here, but is "
            f"{baseline!r}. Pass `baseline=0.0`, or `baseline=jaxplain.testing.LIKE_X`."
        )
    explain = _calls.compiled(explain_of(game_of_table), jit)
    for example in range(num_examples):
        rng = _draw.source(seed, example)
        table = _draw.numbers(rng, 2**num_players)
        everyone = np.ones(num_players, table.dtype)
        given = _draw.fill(rng, refs, everyone)
        if isinstance(refs.get("baseline"), _draw.Drawn):
            given["baseline"] = np.zeros_like(given["baseline"])
        yield table, explain(everyone, table, **given)


def game_of_table(
    present: Float[Array, " players"], table: Float[Array, " coalitions"]
) -> Float[Array, ""]:
    """The value of a coalition, linear in the presence of each player."""
    values = table
    for player in reversed(range(present.size)):  # the last is the highest bit
        absent, here = jnp.split(values, 2)
        values = absent + present[player] * (here - absent)
    return values[0]


def _by_definition(table: np.ndarray, num_players: int) -> np.ndarray:
    """The mean over all orders of what a player adds to those before it."""
    phi = np.zeros(num_players)
    for order in itertools.permutations(range(num_players)):
        coalition = 0
        for player in order:
            phi[player] -= table[coalition]
            coalition |= 1 << player
            phi[player] += table[coalition]
    return phi / math.factorial(num_players)
