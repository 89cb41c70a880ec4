"""Axioms of how an explanation follows the function, its features and their units."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from . import _calls, _compare, _draw, _polynomial, _sums
from ._calls import ExplainOf, Jit


def check_linear(
    explain_of: ExplainOf,
    *,
    tol: float | None = None,
    num_examples: int = 25,
    seed: int = 0,
    jit: Jit = jax.jit,
    **refs: Any,
) -> None:
    r"""Check that the explanation of a sum is the sum of the explanations.

    $$\phi(f + a g) = \phi(f) + a\, \phi(g)$$

    On polynomials of five features, with the same key for all three. Costs one
    compilation of the explainer, and three explanations per example.

    Args:
        explain_of: `explain_of(f)` returns the explainer.
        tol: Largest error, relative to the size of the polynomials; rounding by
            default.
        num_examples: Number of polynomials and inputs.
        seed: Of what is drawn.
        jit: How the explainer is compiled, if it is not yet.
        **refs: Keywords of the call: a value, or `KEY`, `LIKE_X` or `STACK` for one
            that is drawn.

    Raises:
        AssertionError: If both sides differ; with the input, both sides and the gap.

    Example:
        >>> check_linear(jx.saliency)

    References:
        Sundararajan, Taly and Yan (2017), *Axiomatic Attribution for Deep Networks*,
        arXiv:1703.01365, section 4.
    """
    explain = _calls.compiled(explain_of(_polynomial.polynomial), jit)
    for example in range(num_examples):
        rng = _draw.source(seed, example)
        call = _polynomial.call(rng, refs)
        x, (c, *unit), given = call
        d, a = _draw.numbers(rng, c.size), _draw.numbers(rng)
        of = lambda c: explain(x, c, *unit, **given)  # noqa: B023
        parts = of(c), of(d)
        _compare.same(
            "The explanation of f + a g is that of f plus a times that of g",
            of(c + a * d),
            jax.tree.map(partial(_add_times, a), *parts),
            at={**_calls.shown(x, given), "a": a, "of f": parts[0], "of g": parts[1]},
            tol=tol,
            scale=max(call.scale, *map(_sums.largest, parts)),
            finite=True,
            hint="Ranks, thresholds, normalisation and absolute values are not linear.",
        )


def check_symmetric(
    explain_of: ExplainOf,
    *,
    tol: float | None = None,
    num_examples: int = 25,
    seed: int = 0,
    jit: Jit = jax.jit,
    **refs: Any,
) -> None:
    r"""Check that two features that play the same part get the same.

    $$f \text{ unchanged if } x_i, x_j \text{ swap}, \quad x_i = x_j, \quad b_i = b_j
    \quad\Rightarrow\quad \phi_i = \phi_j$$

    On polynomials of five features in which two are alike. Costs one compilation of
    the explainer, and `num_examples` explanations.

    Args:
        explain_of: `explain_of(f)` returns the explainer.
        tol: Largest difference, relative to the size of the polynomial; rounding by
            default.
        num_examples: Number of polynomials and inputs.
        seed: Of what is drawn.
        jit: How the explainer is compiled, if it is not yet.
        **refs: Keywords of the call: a value that treats both alike, or `KEY`,
            `LIKE_X` or `STACK` for one that is drawn.

    Raises:
        AssertionError: If they get different shares; with the input and both.

    Example:
        >>> check_symmetric(jx.occlusion, baseline=0.0)

    References:
        Sundararajan, Taly and Yan (2017), *Axiomatic Attribution for Deep Networks*,
        arXiv:1703.01365, section 4.
    """
    explain = _calls.compiled(explain_of(_polynomial.polynomial), jit)
    for example in range(num_examples):
        call = _polynomial.call(_draw.source(seed, example), refs)
        x, (c, *_), given = call
        for this, other in _polynomial.ALIKE:
            c[this] = c[other]
        drawn = [v for k, v in given.items() if isinstance(refs[k], _draw.Drawn)]
        for array in [x, *(v for v in drawn if isinstance(v, np.ndarray))]:
            array[..., 1] = array[..., 0]
        phi = np.asarray(explain(x, *call.args, **given))
        _compare.same(
            "Features 0 and 1 play the same part and have the same value, so they get "
            "the same",
            phi[1],
            phi[0],
            at={**_calls.shown(x, given), "of all": phi},
            tol=tol,
            scale=call.scale,
            finite=True,
            hint="Samples that treat features apart are symmetric only on average.",
        )


def check_invariant(
    explain_of: ExplainOf,
    *,
    f: Callable[..., Any] | None = None,
    other: Callable[..., Any] | None = None,
    x: PyTree = None,
    args: tuple[Any, ...] = (),
    tol: float | None = None,
    num_examples: int = 25,
    seed: int = 0,
    jit: Jit = jax.jit,
    **refs: Any,
) -> None:
    r"""Check that two programs of one function have one explanation.

    $$f(x) = g(x) \;\; \forall x \quad\Rightarrow\quad \phi(f) = \phi(g)$$

    On two programs of the same polynomials, one of them nested and with a loop, or on
    two of the user's own. Costs two compilations of the explainer, and two
    explanations per example.

    Args:
        explain_of: `explain_of(f)` returns the explainer.
        f: Function to explain; polynomials by default.
        other: The same function, written differently.
        x: Input of both.
        args: Their other arguments.
        tol: Largest error, relative to the size of the polynomial or of the
            attributions; rounding by default.
        num_examples: Number of polynomials and inputs.
        seed: Of what is drawn.
        jit: How the explainers are compiled, if they are not yet.
        **refs: Keywords of the call: a value, or `KEY`, `LIKE_X` or `STACK` for one
            that is drawn.

    Raises:
        AssertionError: If the explanations differ.
        ValueError: If `f` comes without `x` or `other`.

    Example:
        >>> f, g = lambda x: (x[0] + x[1]) ** 2, lambda x: jnp.square(x[:2].sum())
        >>> check_invariant(jx.saliency, f=f, other=g, x=jnp.array([1.0, 2.0]))

    References:
        Sundararajan, Taly and Yan (2017), *Axiomatic Attribution for Deep Networks*,
        arXiv:1703.01365, section 2.2.
    """
    _calls.own_all(f, other=other)
    of_f = of_other = None
    for example in range(num_examples if f is None else 1):
        function, at, rest, given = _calls.one_call(f, x, args, refs, seed, example)
        of_f = of_f or _calls.compiled(explain_of(function), jit)
        another = other or _polynomial.another_program
        of_other = of_other or _calls.compiled(explain_of(another), jit)
        _compare.same(
            "Two programs of one function have one explanation",
            of_other(at, *rest, **given),
            of_f(at, *rest, **given),
            at=_calls.shown(at, given),
            tol=tol,
            scale=_polynomial.size(rest[0]) if f is None else 0.0,
            finite=True,
            hint="Rules that are attached to operations see how `f` is written.",
        )


def check_affine(
    explain_of: ExplainOf,
    *,
    tol: float | None = None,
    num_examples: int = 25,
    seed: int = 0,
    jit: Jit = jax.jit,
    **refs: Any,
) -> None:
    r"""Check that the units of a feature do not matter.

    $$g(z) = f(s \odot z + t) \quad\Rightarrow\quad
    \phi\bigl(g, \tfrac{x - t}{s}, \tfrac{b - t}{s}\bigr) = \phi(f, x, b)$$

    On polynomials of five features. Baselines have to be drawn, since they change
    units too. Costs one compilation of the explainer, and two explanations per
    example.

    Args:
        explain_of: `explain_of(f)` returns the explainer.
        tol: Largest error, relative to the size of the polynomial; rounding by default.
        num_examples: Number of polynomials and inputs.
        seed: Of what is drawn.
        jit: How the explainer is compiled, if it is not yet.
        **refs: Keywords of the call: `LIKE_X` or `STACK` for baselines, and `KEY` or a
            value for others.

    Raises:
        AssertionError: If the explanations differ; with the input and both of them.
        ValueError: If `baseline` is a value.

    Example:
        >>> from jaxplain import testing
        >>> check_affine(jx.occlusion, baseline=testing.LIKE_X)

    References:
        Friedman (2004), *Paths and Consistency in Additive Cost Sharing*,
        International Journal of Game Theory 32: affine scale invariance.
        Sundararajan and Najmi (2020), *The Many Shapley Values for Model
        Explanation*, arXiv:1908.08474.
    """
    if "baseline" in refs and not isinstance(refs["baseline"], _draw.Drawn):
        raise ValueError(
            "`baseline` must be drawn, since it changes its units too, but is "
            f"{refs['baseline']!r}. Pass `baseline=jaxplain.testing.LIKE_X`."
        )
    explain = _calls.compiled(explain_of(_polynomial.polynomial), jit)
    # Powers of two: exact, and so are their inverses.
    scale = np.array([2.0, -0.5, 4.0, 0.25, -1.0])
    for example in range(num_examples):
        rng = _draw.source(seed, example)
        call = _polynomial.call(rng, refs)
        x, (c, *_), given = call
        units = scale.astype(x.dtype), _draw.numbers(rng, x.size)
        change = lambda a: (a - units[1]) / units[0]  # noqa: B023
        new = {k: change(v) if k == "baseline" else v for k, v in given.items()}
        _compare.same(
            "The units of a feature do not matter",
            explain(change(x), c, *units, **new),
            explain(x, *call.args, **given),
            at={**_calls.shown(x, given), "scale": units[0], "shift": units[1]},
            tol=tol,
            scale=call.scale,
            finite=True,
            hint="Gradients, and noise of one width, depend on units.",
        )


def _add_times(a: np.ndarray, p: Any, q: Any) -> Any:
    return p + a.astype(p.dtype) * q
