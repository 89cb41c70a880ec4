"""DeepLIFT: differences from a reference instead of derivatives."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import JaxprEqn
from jaxtyping import ArrayLike

from .. import _checks, _jaxpr, _tree, frameworks
from .._types import REQUIRED, Contrastive, ScalarFn, Ts, X
from ._active import (
    Active,
    Book,
    branched,
    common_roots,
    fits,
    floats,
    follow,
    is_active,
    plain,
    ruled,
    settle,
    stretched,
)
from ._place import Place
from ._primitives import BILINEAR, ELEMENTWISE, MOVES, PREDICATES, SUMS
from ._slopes import along_the_line, of_one_value, rule_for
from ._strict import no_rule


def deep_lift(f: ScalarFn[X, *Ts], *, strict: bool = False) -> Contrastive[X, *Ts]:
    r"""Differences from a reference, passed back by multipliers.

    $$\phi(x; b) = m \odot (x - b), \qquad
    \sum_i m_i \, (u_i - u_i^0) = y - y^0 \quad \text{at every operation } y(u)$$

    Complete: every operation passes on the whole of its difference, so the attributions
    sum to `f(x) - f(b)`, up to rounding. Costs about one and a half gradients, where
    integrated gradients cost one for each step. `jaxplain.expected` of it is DeepSHAP.

    The rules belong to operations of the traced program, so modules that are used twice
    and activations that are inline are no special cases. Linear operations are as
    usual. An elementwise function has the multiplier $(y - y^0) / (u - u^0)$: the
    *rescale* rule. A product, and any other function of two varying numbers, shares its
    difference by the Shapley value of the two; in a product each is weighed by the mean
    of the other. A maximum credits the winner at the input and the winner at the
    reference. Anything else is integrated along the line between its
    operands, in 8 steps, which is exact for polynomials up to degree 15.
    `stop_gradient` passes differences on: they are there, whoever made them.

    Where `x` and its baseline *choose* differently, nobody has the credit of the jump,
    so it is not complete: sorting, `argmax` and what is indexed by it, `jax.lax.cond`
    on `x`, which takes the branch of `x` for both, and a `jax.numpy.where` whose
    condition and choices are not functions of one value, as in a ReLU they are. Nor is
    it where the fallback is not exact, as for `jax.numpy.linalg.inv`. `strict=True`
    refuses all of these. Beware of baselines that are the same for all features of a
    layer norm: its slope there is that of a division by almost zero, and a few such
    layers leave nothing but rounding.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        strict: Refuse an operation that has no rule, instead of integrating along it.

    Returns:
        `explain(x, *args, baseline)`, shaped like `x`, in the units of `f`.
        The baseline may be any prefix of `x`, such as `0.0`.

    Raises:
        ValueError: If `f` does not return a scalar, `x` is empty, or `baseline` does
            not fit `x`.
        TypeError: If `x` holds integers, such as tokens, or `baseline` is missing.
        NotImplementedError: If `f` runs a `jax.lax.while_loop` on `x`, or with
            `strict=True` an operation without a rule.

    Example:
        >>> f = lambda x: 2 * jax.nn.relu(x[0]) + 2 * jax.nn.relu(x[1] - 1.5)
        >>> deep_lift(f)(jnp.array([1.0, 2.0]), baseline=0.0)
        Array([2., 1.], dtype=float32)

    References:
        Shrikumar, Greenside and Kundaje (2017), *Learning Important Features Through
        Propagating Activation Differences*, arXiv:1704.02685, sections 3.2 and 3.5.1.
        Lundberg and Lee (2017), *A Unified Approach to Interpreting Model Predictions*,
        arXiv:1705.07874, section 4.2.
    """
    slopes = multipliers(f, strict=strict)

    def explain(x: X, /, *args: *Ts, baseline: X | ArrayLike = REQUIRED) -> X:
        x = _checks.inputs(x)
        start = _checks.baseline(baseline, x)
        wide = lambda leaf: leaf.astype(_tree.accumulator(leaf.dtype))
        delta = jax.tree.map(lambda a, b: wide(a) - wide(b), x, start)
        slope = jax.tree.map(wide, slopes(x, *args, baseline=start))
        return _tree.cast_like(_tree.mul(delta, slope), x)

    return explain


def multipliers(f: ScalarFn[X, *Ts], *, strict: bool = False) -> Contrastive[X, *Ts]:
    r"""The slopes that DeepLIFT passes back: a gradient between two points.

    $$m_i = \frac{\phi_i(x; b)}{x_i - b_i}$$

    What `deep_lift` gives before it is multiplied by the difference from the baseline.
    Where the two agree, it is the gradient.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        strict: Refuse an operation that has no rule.

    Returns:
        `explain(x, *args, baseline)`, shaped like `x`, in the units of `f` per unit of
        `x`.

    Raises:
        ValueError: As `deep_lift`.
        TypeError: As `deep_lift`.
        NotImplementedError: As `deep_lift`.

    Example:
        >>> f = lambda x: 2 * jax.nn.relu(x[0]) + 2 * jax.nn.relu(x[1] - 1.5)
        >>> multipliers(f)(jnp.array([1.0, 2.0]), baseline=0.0)
        Array([2. , 0.5], dtype=float32)

    References:
        Shrikumar, Greenside and Kundaje (2017), arXiv:1704.02685, section 3.2.
    """
    book = _book(strict)

    def explain(x: X, /, *args: *Ts, baseline: X | ArrayLike = REQUIRED) -> X:
        x = _checks.inputs(x)
        start = _checks.baseline(baseline, x)
        with frameworks.listening():
            closed, leaves, _ = _jaxpr.trace(_checks.scalar(f), x, *args)
        at_x, treedef = jax.tree.flatten(x)
        # The barrier keeps XLA from evaluating the whole network at a constant
        # baseline while it compiles, which can take minutes.
        _, refs = jax.lax.optimization_barrier((at_x, jax.tree.leaves(start)))

        def value(xs: list[Any]) -> Any:
            pairs = [Active(pair) for pair in zip(xs, refs, strict=True)]
            (out,) = follow(closed, [*pairs, *leaves[len(xs) :]], book)
            return settle(out).value if is_active(out) else out

        return treedef.unflatten(jax.grad(value)(at_x))

    return explain


def _book(strict: bool) -> Book:
    def book(eqn: JaxprEqn, values: list[Any], place: Place) -> list[Any]:
        name = eqn.primitive.name
        if name in ELEMENTWISE and len(eqn.outvars) == 1:
            values = [stretched(v, eqn) for v in values]
        at = floats(values)
        roots = common_roots(values) if name in ELEMENTWISE else ()
        chosen = [i for i, v in enumerate(values) if is_active(v) and i not in at]
        chosen += [i for i in at if values[i].role == "constant"]
        if name == "stop_gradient":  # a difference is there, whoever made it
            return values
        if at and all(values[i].role == "constant" for i in at):
            return plain(eqn, values, roots=roots, role="constant")
        if name in ELEMENTWISE and at and chosen:
            near = [root for root in roots if floats([root]) and fits(eqn, root)]
            if near:
                nearest = settle(near[-1])
                return ruled(of_one_value, eqn, values, [nearest], roots=roots)
        if chosen and strict and name not in PREDICATES:
            raise no_rule("deep_lift", eqn, place, "on what is chosen by `x`")
        if name == "cond":
            return branched(eqn, values, book, place)
        if not at:  # where it is a float again, nothing passes back through it
            return plain(eqn, values, roots=roots, role="constant")
        if _is_linear(name, at):
            return plain(eqn, values, roots=roots)
        complex_valued = any(jnp.iscomplexobj(values[i].value) for i in at)
        rule = None if complex_valued else rule_for(name, len(at))
        if rule is None and strict:
            raise no_rule("deep_lift", eqn, place)
        return ruled(rule or along_the_line, eqn, values, roots=roots)

    return book


def _is_linear(name: str, at: Sequence[int]) -> bool:
    if name in MOVES | SUMS | PREDICATES or name == "select_n":
        return True
    return (name in BILINEAR and len(at) == 1) or (name == "div" and at == [0])
