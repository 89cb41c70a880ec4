"""Explanations of several models at once: of an ensemble, or of posterior samples."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from . import _checks, _tree
from ._types import Explains, X


class Summary(NamedTuple):
    """What the members of an ensemble say together: each field as one explanation.

    Attributes:
        mean: Mean of the members.
        std: Standard deviation of the members, with $n - 1$ degrees of freedom.
        lower: Lower end of the central interval.
        upper: Upper end of the central interval.
        sign_agreement: Largest share of the members that agree on a sign, from 0, where
            all of them say 0, to 1.
    """

    mean: Any
    std: Any
    lower: Any
    upper: Any
    sign_agreement: Any


def over(
    explain: Explains[X],
    *,
    argnums: int | Sequence[int] = 1,
    chunk_size: int | None = None,
) -> Explains[X]:
    r"""The explanation of every member of a stack of parameters.

    $$\phi^{(j)} = \mathrm{explain}(x, \theta_j), \qquad j = 1 \dots n$$

    One program for all members, which have one architecture. A `key` is shared by all
    of them: they meet the same coalitions or the same noise, so that what differs is
    due to the parameters.

    Args:
        explain: Explainer whose arguments hold parameters.
        argnums: Positions of the arguments that hold members along the first axis of
            every leaf, counted from `x` at 0.
        chunk_size: Number of members at once; all of them by default. Peak memory
            follows it, beside the explanations themselves.

    Returns:
        `explain(x, *args, **refs)`, with the members along a new first axis of the
        explanation. Costs one explanation per member.

    Raises:
        ValueError: If `argnums` names no argument, or the stacks differ in length or
            are empty.

    Example:
        >>> explain = jx.ensembles.over(jx.saliency(lambda x, w: (w * x**2).sum()))
        >>> explain(jnp.array([1.0, 2.0]), jnp.array([[1.0, 0.0], [1.0, 1.0]]))
        Array([[2., 0.],
               [2., 4.]], dtype=float32)
    """
    _checks.chunk_size(chunk_size)
    numbers = {argnums} if isinstance(argnums, int | np.integer) else set(argnums)
    if not numbers or not all(
        isinstance(n, int | np.integer) and n >= 0 for n in numbers
    ):
        raise ValueError(
            f"`argnums` must hold positions of arguments, from 0, but is {argnums!r}. "
            "Pass that of the parameters, for example 1 for `explain(x, params)`."
        )

    def explain_all(*args: Any, **refs: Any) -> X:
        number = _members(args, numbers)
        stacks = {n: jax.tree.map(jnp.asarray, args[n]) for n in numbers}

        def one(i: Array) -> X:
            take = lambda stack: jax.tree.map(lambda leaf: leaf[i], stack)
            filled = [
                take(stacks[n]) if n in numbers else a for n, a in enumerate(args)
            ]
            return explain(*filled, **refs)

        return _tree.map_samples(one, number, chunk_size)

    return explain_all


def summary(
    explain: Explains[PyTree],
    *,
    argnums: int | Sequence[int] = 1,
    level: float = 0.95,
    chunk_size: int | None = None,
) -> Explains[Summary]:
    r"""What a stack of parameters says together, with an interval for every entry.

    $$[\,q_{\alpha / 2}, \; q_{1 - \alpha / 2}\,] \text{ of } \phi^{(1)}_i, \dots,
    \phi^{(n)}_i, \qquad \alpha = 1 - \mathrm{level}$$

    Of posterior samples these are credible intervals, of each entry alone; of an
    ensemble of seeds, they say how far training leaves the explanation open. They hold
    nothing of the error of the explainer itself. With few members they are nearly
    their range, and too narrow: 95 % wants some forty. Where an explainer is linear in
    `f`, such as integrated gradients, the mean explains the mean of the members.

    Args:
        explain: Explainer whose arguments hold parameters.
        argnums: Positions of the arguments that hold members along the first axis of
            every leaf, counted from `x` at 0.
        level: Probability of the interval.
        chunk_size: Number of members at once; all of them by default. Peak memory
            follows it, beside the explanations, which quantiles need together.

    Returns:
        `fit(x, *args, **refs)`, a `Summary`. Costs one explanation per member.

    Raises:
        ValueError: If `argnums` names no argument, the stacks differ in length or hold
            fewer than two members, or `level` is not between 0 and 1.
        TypeError: If `level` is no number.

    Example:
        >>> explain = jx.saliency(lambda x, w: (w * x).sum())
        >>> fit = jx.ensembles.summary(explain, level=0.5)
        >>> found = fit(jnp.ones(2), jnp.array([[1.0, -1.0], [2.0, 0.5], [3.0, 2.0]]))
        >>> found.mean, found.sign_agreement.round(2)
        (Array([2. , 0.5], dtype=float32), Array([1.  , 0.67], dtype=float32))

    References:
        Lakshminarayanan, Pritzel and Blundell (2017), *Simple and Scalable Predictive
        Uncertainty Estimation using Deep Ensembles*, arXiv:1612.01474, for seeds as
        members.
    """
    level = _level(level)
    explain_all = over(explain, argnums=argnums, chunk_size=chunk_size)

    def fit(*args: Any, **refs: Any) -> Summary:
        members = explain_all(*args, **refs)
        each = lambda fn: jax.tree.map(lambda leaf: _in_own(fn, leaf), members)
        return Summary(
            mean=each(lambda a: a.mean(0)),
            std=each(_std),
            lower=each(lambda a: jnp.quantile(a, (1 - level) / 2, axis=0)),
            upper=each(lambda a: jnp.quantile(a, (1 + level) / 2, axis=0)),
            sign_agreement=each(_agreement),
        )

    return fit


def _in_own(fn: Any, leaf: Array) -> Array:
    if leaf.shape[0] < 2:
        raise ValueError(
            "a stack must hold at least two members to summarise, but holds "
            f"{leaf.shape[0]}. Explain a single one without `ensembles.summary`."
        )
    found = fn(leaf.astype(_tree.accumulator(leaf.dtype)))
    # Of whole numbers, or of flags, the mean is a fraction.
    keeps = jnp.issubdtype(leaf.dtype, jnp.inexact)
    return found.astype(leaf.dtype) if keeps else found


def _std(members: Array) -> Array:
    """Safe for any scale, and with a slope of 0 where all members are equal."""
    off = members - members[:1]  # first, so that equal members differ by exactly 0
    off = off - off.mean(0, keepdims=True)
    top = jax.lax.stop_gradient(jnp.abs(off).max(0, keepdims=True))
    unit = jnp.where(top > 0, top, 1)
    variance = ((off / unit) ** 2).sum(0) / (members.shape[0] - 1)
    some = variance > 0
    # NaN is not positive, and stays.
    return jnp.where(some, jnp.sqrt(jnp.where(some, variance, 1)), variance) * unit[0]


def _agreement(members: Array) -> Array:
    share = lambda flags: flags.mean(0, dtype=members.dtype)
    agreed = jnp.maximum(share(members > 0), share(members < 0))
    # What is NaN has no sign, and must not look like dissent.
    return jnp.where(jnp.isnan(members).any(0), jnp.nan, agreed)


def _members(args: Sequence[Any], numbers: set[int]) -> int:
    """The common length of the stacks."""
    if max(numbers) >= len(args):
        raise ValueError(
            f"`argnums` must name arguments of the call, which has {len(args)} without "
            f"keywords, but holds {max(numbers)}. Count from `x` at 0."
        )
    shapes = [np.shape(a) for n in sorted(numbers) for a in jax.tree.leaves(args[n])]
    lengths = {shape[:1] for shape in shapes}
    if len(lengths) != 1 or lengths <= {(), (0,)}:
        raise ValueError(
            "the arguments of `argnums` must be stacks, with a member per entry of the "
            f"first axis of every leaf, but have shapes {shapes}. Stack parameters "
            "with `jax.tree.map(lambda *leaves: jax.numpy.stack(leaves), *members)`."
        )
    return lengths.pop()[0]


def _level(value: Any) -> float:
    _checks.positive("level", value)
    if value >= 1:
        raise ValueError(
            f"`level` must be below 1, but is {value!r}: it is the probability of the "
            "interval. Pass 0.95 for 95 %."
        )
    return float(value)
