"""Axioms of what each feature is given: all of the difference, and nothing more."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from . import _calls, _compare, _draw, _polynomial, _sums
from ._calls import ExplainOf, Jit


def check_complete(
    explain_of: ExplainOf,
    *,
    f: Callable[..., Any] | None = None,
    x: PyTree = None,
    args: tuple[Any, ...] = (),
    against: Any = None,
    tol: float | None = None,
    num_examples: int = 25,
    seed: int = 0,
    jit: Jit = jax.jit,
    **refs: Any,
) -> None:
    r"""Check that attributions sum to what they explain.

    $$\sum_i \phi_i(x; b) = f(x) - f(b)$$

    For a stack of baselines, $f(b)$ is the mean over the stack. Without `f`, this is
    checked on polynomials of five features and degree four at most, which eight
    Gauss-Legendre nodes integrate exactly; with it, at the input that is given.

    Costs one compilation of the explainer, and `num_examples` explanations.

    Args:
        explain_of: `explain_of(f)` returns the explainer, as `jaxplain.saliency` does.
        f: Function to explain; polynomials by default.
        x: Its input.
        args: Its other arguments.
        against: Baseline of an explainer whose call takes none; any prefix of `x`.
        tol: Largest error, relative to the largest of $f(x)$, $f(b)$ and the
            attributions; rounding by default. An average over a coarse grid needs more.
        num_examples: Number of polynomials and inputs.
        seed: Of what is drawn.
        jit: How the explainer is compiled, if it is not yet.
        **refs: Keywords of the call: a value, or `KEY`, `LIKE_X` or `STACK` for one
            that is drawn.

    Raises:
        AssertionError: If the sum differs; with the input, both sides and the gap.
        ValueError: If there is no baseline, or `f` comes without `x`.

    Example:
        >>> check_complete(lambda f: jx.integrated_gradients(f, steps=8), baseline=0.0)
        >>> try:
        ...     check_complete(jx.input_x_gradient, against=0.0)
        ... except AssertionError as error:
        ...     print(str(error).splitlines()[0])
        Attributions of a complete explainer sum to f(x) - f(baseline).

    References:
        Sundararajan, Taly and Yan (2017), *Axiomatic Attribution for Deep Networks*,
        arXiv:1703.01365, proposition 1.
    """
    if refs.get("baseline", against) is None:
        raise ValueError(
            "a baseline is missing: completeness compares with the value there. Pass "
            "`baseline=`, or `against=` if the explainer takes none."
        )
    explain = value = None
    for example in range(num_examples if f is None else 1):
        function, at, rest, given = _calls.one_call(f, x, args, refs, seed, example)
        explain = explain or _calls.compiled(explain_of(function), jit)
        value = value or _calls.scalar_of(function)
        phi = explain(at, *rest, **given)
        start = given.get("baseline", against)
        ends = [value(row, *rest) for row in (at, *_sums.rows(start, at))]
        size = max(_sums.largest(phi), *map(abs, ends))
        _compare.same(
            "Attributions of a complete explainer sum to f(x) - f(baseline)",
            _sums.total(phi),
            np.asarray(ends[0] - np.mean(ends[1:])),
            at=_calls.shown(at, given),
            tol=_compare.rounding(phi) if tol is None else tol,
            scale=size,
            hint="If the explainer approximates, allow for it with `tol=`.",
        )


def check_sensitive(
    explain_of: ExplainOf,
    *,
    tol: float | None = None,
    num_examples: int = 25,
    seed: int = 0,
    jit: Jit = jax.jit,
    **refs: Any,
) -> None:
    r"""Check that the only feature that differs from the baseline takes all.

    $$x_j = b_j \;\; \forall j \ne i \quad\Rightarrow\quad
    \phi_i(x; b) = f(x) - f(b), \qquad \phi_j(x; b) = 0$$

    Stronger than sensitivity (a) of the paper, by which $\phi_i$ must not be zero if
    the values differ. On polynomials of five features. Costs one compilation of the
    explainer, and `num_examples` explanations.

    Args:
        explain_of: `explain_of(f)` returns the explainer.
        tol: Largest error, relative to the size of the polynomial; rounding by default.
        num_examples: Number of polynomials and inputs.
        seed: Of what is drawn.
        jit: How the explainer is compiled, if it is not yet.
        **refs: Keywords of the call: a value, or `KEY`, `LIKE_X` or `STACK` for one
            that is drawn.

    Raises:
        AssertionError: If the feature gets another share; with the input and both
            sides.
        ValueError: If there is no `baseline`.

    Example:
        >>> check_sensitive(jx.occlusion, baseline=0.0)

    References:
        Sundararajan, Taly and Yan (2017), *Axiomatic Attribution for Deep Networks*,
        arXiv:1703.01365, section 2.1.
    """
    if refs.get("baseline") is None:
        raise ValueError(
            "`baseline` is missing: one feature differs from it. Pass `baseline=`, for "
            "example `baseline=0.0`."
        )
    explain = _calls.compiled(explain_of(_polynomial.polynomial), jit)
    value = _calls.scalar_of(_polynomial.polynomial)
    for example in range(num_examples):
        rng = _draw.source(seed, example)
        call = _polynomial.call(rng, refs)
        x, given = call.x, call.refs
        others = np.arange(x.size) != rng.integers(x.size)
        if isinstance(refs["baseline"], _draw.Drawn):
            given["baseline"] = np.where(others, x, given["baseline"])
        else:
            x = np.where(others, np.broadcast_to(given["baseline"], x.shape), x)
        start = [value(row, *call.args) for row in _sums.rows(given["baseline"], x)]
        difference = value(x, *call.args) - np.mean(start)
        _compare.same(
            "Where one feature differs from the baseline, it takes all of the "
            "difference and the others nothing",
            explain(x.astype(call.x.dtype), *call.args, **given),
            np.where(others, 0, difference).astype(x.dtype),
            at=_calls.shown(x, given),
            tol=tol,
            scale=call.scale,
            hint="If the explainer approximates, allow for it with `tol=`.",
        )


def check_dummy(
    explain_of: ExplainOf,
    *,
    f: Callable[..., Any] | None = None,
    x: PyTree = None,
    args: tuple[Any, ...] = (),
    features: PyTree = None,
    tol: float | None = None,
    num_examples: int = 25,
    seed: int = 0,
    jit: Jit = jax.jit,
    **refs: Any,
) -> None:
    r"""Check that a feature without effect gets nothing.

    $$f(x) = f(x') \text{ whenever } x_j = x'_j \;\; \forall j \ne i
    \quad\Rightarrow\quad \phi_i = 0$$

    Called dummy, null player, or sensitivity (b). On polynomials that leave one of
    their five features out, or on the user's own `f`. Costs one compilation of the
    explainer, and `num_examples` explanations.

    Args:
        explain_of: `explain_of(f)` returns the explainer.
        f: Function to explain; polynomials by default.
        x: Its input.
        args: Its other arguments.
        features: Which features of `x` have no effect on `f`: booleans like `x`.
        tol: Largest attribution that counts as nothing, relative to the largest of all;
            rounding by default, and 0 where nothing is solved or cancelled.
        num_examples: Number of polynomials and inputs.
        seed: Of what is drawn.
        jit: How the explainer is compiled, if it is not yet.
        **refs: Keywords of the call: a value, or `KEY`, `LIKE_X` or `STACK` for one
            that is drawn.

    Raises:
        AssertionError: If such a feature gets something.
        ValueError: If `f` comes without `x` or `features`, or these mark nothing.

    Example:
        >>> f, x = lambda x: x[0] * x[1], jnp.array([2.0, 3.0, 4.0])
        >>> unused = jnp.array([False, False, True])
        >>> check_dummy(jx.saliency, f=f, x=x, features=unused)

    References:
        Sundararajan, Taly and Yan (2017), *Axiomatic Attribution for Deep Networks*,
        arXiv:1703.01365, section 4.
    """
    _calls.own_all(f, features=features)
    if f is not None and not any(np.any(out) for out in jax.tree.leaves(features)):
        raise ValueError(
            "`features` must mark a feature without effect on `f`, but marks none. "
            "Pass booleans like `x`, true where `f` does not look."
        )
    explain = None
    for example in range(num_examples if f is None else 1):
        function, at, rest, given = _calls.one_call(f, x, args, refs, seed, example)
        explain = explain or _calls.compiled(explain_of(function), jit)
        without, scale = features, 0.0
        if f is None:
            rest[0][_polynomial.OF_DUMMY] = 0
            without, scale = np.arange(at.size) == _polynomial.DUMMY, 1.0
        phi = jax.tree.map(np.asarray, explain(at, *rest, **given))
        _compare.same(
            "A feature without effect on f gets nothing",
            jax.tree.map(lambda p, out: np.where(out, p, 0), phi, without),
            jax.tree.map(np.zeros_like, phi),
            at={**_calls.shown(at, given), "of all": phi},
            tol=tol,
            scale=max(scale, _sums.largest(phi)),
            hint="If the feature is yours: perhaps `f` does depend on it.",
        )
