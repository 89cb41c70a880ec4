"""A function of tokens, as a function of which of them are present."""

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Bool, Float, Int

from .. import _checks
from .._types import Scalar, ScalarFn, Ts
from . import _valid

Tokens: TypeAlias = Int[Array, " length"]
Side: TypeAlias = Literal["left", "right"]


def masked(
    f: ScalarFn[Any, *Ts], *, mask_token: int
) -> Callable[[ArrayLike, ArrayLike, *Ts], Scalar]:
    r"""`f`, as a function of which tokens are present; a mask stands in for the others.

    $$g(m, t) = f(t'), \quad t'_i = t_i \text{ if } m_i > 1/2 \text{ else the mask}$$

    Every explainer that takes features away explains `g` at ones against a baseline of
    zeros, with words as `groups`. A token whose baseline is 1 is never absent: so are
    kept `[CLS]`, `[SEP]` and padding. The gradient in `present` is zero; for gradients,
    `cut` at the embedding.

    Args:
        f: Function to explain: `f(tokens, *args)` returns a scalar.
        mask_token: Id of the token that stands where another is absent. Choose one that
            `f` met in training, such as `[MASK]`, or the one of unknown words.

    Returns:
        `g(present, tokens, *args)`, a scalar; `present` is floating-point and of the
        shape of `tokens`. Costs one evaluation of `f`.

    Raises:
        ValueError: If `mask_token` or a concrete token is negative, `present` and
            `tokens` differ in shape, or `f` does not return a scalar.
        TypeError: If `tokens` or `mask_token` are no integers, or `present` is not
            floating-point.

    Example:
        >>> score = jnp.array([0.0, 0.0, 3.0, -1.0])
        >>> g = masked(lambda tokens: score[tokens].sum(), mask_token=1)
        >>> tokens = jnp.array([2, 3, 2])
        >>> occlusion(g)(jnp.ones(3), tokens, baseline=0.0)
        Array([ 3., -1.,  3.], dtype=float32)

    References:
        Ribeiro, Singh and Guestrin (2016), *"Why Should I Trust You?"*,
        arXiv:1602.04938, section 3.1, for representations of absent words.
    """
    f = _checks.scalar(f)
    _valid.token("mask_token", mask_token)

    def replace(present: Bool[Array, "*n"], tokens: Int[Array, "*n"]) -> Array:
        return jnp.where(present, tokens, jnp.asarray(mask_token, tokens.dtype))

    return _of_presence(f, replace, "mask_token", mask_token)


def removed(
    f: ScalarFn[Any, *Ts], *, pad_token: int, side: Side = "right"
) -> Callable[[ArrayLike, ArrayLike, *Ts], Scalar]:
    r"""`f`, as a function of which tokens are present; the others are taken out.

    $$g(m, t) = f(t_{i_1}, \dots, t_{i_k}, \text{pad}, \dots, \text{pad}),
      \quad \{i_1 < \dots < i_k\} = \{i : m_i > 1/2\}$$

    The rest moves up and keeps its order, so `f` reads what the shorter text would have
    been, if it takes padding for nothing. See `masked` for how to explain `g`; padding
    that is there already is kept by a baseline of 1, `baseline=tokens == pad_token`.

    Args:
        f: Function to explain: `f(tokens, *args)` returns a scalar. It has to find the
            length of the text in the tokens: a length or an attention mask that is
            passed beside them would be that of the whole text.
        pad_token: Id of the token that fills the end.
        side: Where the padding goes: `"right"`, behind the text, or `"left"`.

    Returns:
        `g(present, tokens, *args)`, a scalar; `present` is floating-point and, like
        `tokens`, of shape `(length,)`. Costs one evaluation of `f`.

    Raises:
        ValueError: If `pad_token` or a concrete token is negative, `tokens` has another
            rank, `present` another shape, `side` is unknown, or `f` does not return a
            scalar.
        TypeError: If `tokens` or `pad_token` are no integers, or `present` is not
            floating-point.

    Example:
        >>> first = lambda tokens: jnp.array([0.0, 1.0, 5.0])[tokens[0]]
        >>> g = removed(first, pad_token=0)
        >>> g(jnp.array([0.0, 1.0]), jnp.array([1, 2]))
        Array(5., dtype=float32)

    References:
        Ribeiro, Singh and Guestrin (2016), *"Why Should I Trust You?"*,
        arXiv:1602.04938, section 3.1; the `lime` package takes words out by default.
    """
    f = _checks.scalar(f)
    _valid.token("pad_token", pad_token)
    _checks.choice("side", side, ("left", "right"))

    def compact(present: Bool[Array, " n"], tokens: Tokens) -> Tokens:
        _valid.one_text(tokens)
        n = tokens.shape[0]
        place = jnp.cumsum(present) - 1
        if side == "left":
            place = place + n - jnp.sum(present)
        blank = jnp.full_like(tokens, pad_token)
        return blank.at[jnp.where(present, place, n)].set(tokens, mode="drop")

    return _of_presence(f, compact, "pad_token", pad_token)


def _of_presence(
    f: ScalarFn[Any, *Ts],
    without: Callable[[Array, Array], Array],
    name: str,
    token: int,
) -> Callable[[ArrayLike, ArrayLike, *Ts], Scalar]:
    """`f` of what `without` leaves of the tokens."""

    def g(
        present: Float[ArrayLike, "*n"], tokens: Int[ArrayLike, "*n"], /, *args: *Ts
    ) -> Scalar:
        known = _valid.tokens(tokens, name, token)
        there = _valid.present(present, known)
        value = f(without(there > 0.5, known), *args)
        # A label that is out of range and traced makes a NaN here, which is no absence.
        return jnp.where(jnp.isnan(there).any(), jnp.nan, value).astype(value.dtype)

    return g
