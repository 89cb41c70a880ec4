"""Layer-wise relevance propagation."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import JaxprEqn

from .. import _checks, _jaxpr, frameworks
from .._types import Explainer, ScalarFn, Ts, X
from ._active import (
    Active,
    Book,
    Local,
    Role,
    Roots,
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
from ._affine import Affine
from ._place import Place
from ._primitives import ELEMENTWISE, GATES, MOVES, ORDERED, PREDICATES, SUMS, WINNERS
from ._shares import Rule, epsilon, shared
from ._strict import no_rule

Rules = Rule | Mapping[str, Rule]

TINY = 1e-9
SUM = epsilon(TINY)
DEFAULT = epsilon()
LOUD = ("input", "signal")


def lrp(
    f: ScalarFn[X, *Ts], rules: Rules = DEFAULT, *, strict: bool = False
) -> Explainer[X, *Ts]:
    r"""Relevance: the value of `f`, passed back layer by layer.

    $$R_i = \sum_j \frac{x_i w_{ij}}{z_j} R_j, \qquad R_{out} = f(x)$$

    The equation is that of LRP-0; `rules` say how each linear layer shares its
    relevance, by one of `epsilon`, `gamma`, `zplus`, `alphabeta`, `zbox`, `wsquare`
    and `flat`, or by a `Rule` of your own. By `epsilon` with a tiny stabiliser, and
    without biases, the relevances sum to `f(x)`. A bias keeps its share, and so does a
    constant that an operation adds or starts a scan from; `zplus` and `alphabeta` lose
    the relevance of units that have no contribution of the sign in question.

    A linear layer is a convolution or a matrix product with constant weights, and the
    bias, the scale and the batch normalisation that follow belong to it. Every other
    operation has one way back. An activation, and any elementwise function of one
    value, passes its relevance on, and so does a scaling of the input before the first
    layer. A sum, and average pooling, share it by their addends; a maximum gives it to
    the winner. What scales a signal is a *gate* and gets nothing: sigmoids in an LSTM
    or a GRU, attention weights, the reciprocal deviation in a normalisation. A product
    of two signals, and anything else, shares by input times gradient. Costs about one
    gradient for `epsilon`, and two and a half for `zplus`.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar. Prefer a logit, and to
            follow one class: a probability mixes them.
        rules: One rule for all linear layers, or a dict from patterns to rules, such as
            `{"conv1": zbox(0, 1), "Conv_*": gamma(), "Dense_*": epsilon()}`. A pattern
            is a glob, matched with a layer's path as `taps` lists it, such as
            `"Block_0/Conv_1"`, or with a consecutive part of it. The first that
            matches wins; layers that none matches get `epsilon()`. In plain functions,
            `jax.named_scope` names layers.
        strict: Refuse an operation that has no rule.

    Returns:
        `explain(x, *args)`, shaped like `x`, in the units of `f`.

    Raises:
        ValueError: If `f` does not return a scalar, `x` is empty, or a pattern matches
            no linear layer.
        TypeError: If `x` holds integers, such as tokens, or `rules` holds no rules.
        NotImplementedError: If `f` runs a `jax.lax.while_loop` on `x`, or with
            `strict=True` an operation without a rule.

    Example:
        >>> w = jnp.array([[1.0, -1.0], [2.0, 1.0]])
        >>> f = lambda x: jax.nn.relu(x @ w).sum()
        >>> lrp(f)(jnp.array([1.0, 2.0]))
        Array([0., 6.], dtype=float32)
        >>> lrp(f, gamma(1.0))(jnp.array([1.0, 2.0]))
        Array([0.6667, 5.3333], dtype=float32)

    References:
        Bach et al. (2015), *On Pixel-Wise Explanations for Non-Linear Classifier
        Decisions by Layer-Wise Relevance Propagation*.
        Montavon, Binder, Lapuschkin, Samek and Müller (2019), *Layer-Wise Relevance
        Propagation: An Overview*.
        Arras, Montavon, Müller and Samek (2017), *Explaining Recurrent Neural Network
        Predictions in Sentiment Analysis*, arXiv:1706.07206: gates.
    """
    table = _table(rules)

    def explain(x: X, /, *args: *Ts) -> X:
        x = _checks.inputs(x)
        with frameworks.listening():
            closed, leaves, _ = _jaxpr.trace(_checks.scalar(f), x, *args)
        at_x, treedef = jax.tree.flatten(x)
        places: list[Place] = []

        def rule_at(place: Place) -> Rule:
            places.append(place)
            found = (r for pattern, r in table.items() if place.matches(pattern))
            return next(found, DEFAULT)

        def value(xs: list[Any]) -> Any:
            inputs = [Active((v,), role="input") for v in xs]
            values = [*inputs, *leaves[len(xs) :]]
            (out,) = follow(closed, values, _book(rule_at, strict))
            return settle(out).value if is_active(out) else out

        y, back = jax.vjp(value, at_x)
        _all_used(table, places)
        (relevance,) = back(y)
        return treedef.unflatten(relevance)

    return explain


def _table(rules: Rules) -> dict[str, Rule]:
    if isinstance(rules, Rule):
        return {"*": rules}
    if not isinstance(rules, Mapping):
        raise TypeError(
            "`rules` must be a rule, or a dict from patterns of layer names to rules, "
            f"but is {rules!r}. Pass for example `epsilon()`, or "
            '`{"Conv_*": gamma(), "Dense_*": epsilon()}`.'
        )
    for pattern, rule in rules.items():
        if not isinstance(pattern, str) or not isinstance(rule, Rule):
            raise TypeError(
                "`rules` must map patterns of layer names to rules, but holds "
                f"{pattern!r}: {rule!r}. Call the rule, as in `gamma()`."
            )
    return dict(rules)


def _all_used(table: dict[str, Rule], places: Sequence[Place]) -> None:
    for pattern in table:
        if pattern != "*" and not any(place.matches(pattern) for place in places):
            layers = dict.fromkeys(place.layer for place in places if place.layer)
            known = ", ".join(map(repr, layers)) or "none: name them by a scope"
            raise ValueError(
                f"the pattern {pattern!r} in `rules` matches no linear layer of `f`. "
                f"Those with a name are {known}. Mend the pattern, or leave it out; "
                "`jax.named_scope` names layers of a plain function."
            )


def _book(rule_at: Any, strict: bool) -> Book:
    def book(eqn: JaxprEqn, values: list[Any], place: Place) -> list[Any]:
        name = eqn.primitive.name
        if name in ("tap", "name"):
            return values
        floating = floats(values)
        if floating and all(values[i].role == "constant" for i in floating):
            roots = common_roots(values) if name in ELEMENTWISE else ()
            return plain(eqn, values, roots=roots, role="constant")
        linear = _linear(eqn, values, lambda: rule_at(place))
        if linear is not None:
            return [linear]
        if name == "cond":
            return branched(eqn, values, book, place)
        roots: Roots = ()
        if name in ELEMENTWISE:
            values = [stretched(v, eqn) for v in values]
            roots = common_roots(values)
        values = list(map(settle, values))
        at = floats(values)
        roles: list[Role] = [values[i].role for i in at]
        role: Role = roles[0] if len(set(roles)) == 1 else "signal"
        if name == "stop_gradient":
            return [Active((jax.lax.stop_gradient(values[0].value),), role="constant")]
        if not at:  # where it is a float again, no relevance goes through it
            return plain(eqn, values, roots=roots, role="constant")
        if name in MOVES | WINNERS | PREDICATES | ORDERED:
            return plain(eqn, values, roots=roots, role=role)
        if name in ELEMENTWISE:
            return _elementwise(eqn, values, at, roots, role)
        if strict and name not in SUMS | {"dot_general", "conv_general_dilated"}:
            raise no_rule("lrp", eqn, place)
        return ruled(_proportional, eqn, values)

    return book


def _linear(eqn: JaxprEqn, values: list[Any], rule: Any) -> Affine | None:
    """The equation as an affine map of one signal, if it is one."""
    name = eqn.primitive.name
    signals = [i for i in floats(values) if values[i].role in LOUD or len(values) == 1]
    active = [i for i, v in enumerate(values) if is_active(v)]
    if len(signals) != 1:
        if len(active) != 1 or name not in ("dot_general", "conv_general_dilated"):
            return None
        signals = active
    (at,) = signals
    value = values[at]
    if name in ("dot_general", "conv_general_dilated"):
        weight = values[1 - at]
        # Attention weights are a gate, and as good as constant.
        weight = settle(weight).value if is_active(weight) else weight
        return Affine(rule(), settle(value), weight, eqn, at)
    if isinstance(value, Affine) and len(values) == 1:
        return value.negated() if name == "neg" else value.moved(eqn)
    if name not in ("add", "sub", "mul", "div") or len(active) != 1:
        return None
    # Before the first layer, scales and shifts are a change of units, and no biases:
    # what a rule for pixels gives a pixel is not in proportion to it.
    if (name == "div" and at == 1) or not fits(eqn, value) or value.role == "input":
        return None
    constant = values[1 - at]
    folded = value.then(name, constant, at) if isinstance(value, Affine) else None
    if folded is not None:
        return folded
    unit, source = jnp.ones((), value.dtype), settle(value)
    itself = Affine(SUM, source, unit, roots=(*source.roots, source))
    return itself.then(name, constant, at)


def _elementwise(
    eqn: JaxprEqn, values: list[Any], at: list[int], roots: Roots, role: Role
) -> list[Any]:
    name = eqn.primitive.name
    near = [root for root in roots if floats([root]) and fits(eqn, root)]
    if name in GATES or (name == "div" and at == [1]) or _is_reciprocal(eqn):
        role = "gate"
    known = {"roots": roots, "role": role}
    if near and not (name == "select_n" and not is_active(values[0])):
        return _through(settle(near[-1]), eqn, values, **known)
    if name in ("max", "min", "select_n"):
        return plain(eqn, values, **known)
    if name == "div":
        numerator = values[0]
        return _through(numerator, eqn, values, roots=roots, role=numerator.role)
    muted = ("gate", "constant") if name == "mul" else ("constant",)
    loud = [i for i in at if values[i].role not in muted]
    if len(loud) == 1 and len(at) == 2:
        return _through(values[loud[0]], eqn, values, **known)
    return ruled(_proportional, eqn, values, **known)


def _is_reciprocal(eqn: JaxprEqn) -> bool:
    """Is it a power below zero, such as one over a root?"""
    name = eqn.primitive.name
    exponent = eqn.params.get("y", 0) if name == "integer_pow" else 0
    if name == "pow" and _jaxpr.is_literal(eqn.invars[1]):
        exponent = np.max(_jaxpr.read(eqn.invars[1], {}))
    return bool(exponent < 0)


def _through(
    to: Active, eqn: JaxprEqn, values: list[Any], **known: Any
) -> list[Active]:
    """All of the relevance goes to one value."""

    def rule(local: Local, cts: list[Any]) -> list[Any]:
        first, *others = local.xs
        return [cts[0].astype(first.dtype), *map(jnp.zeros_like, others)]

    return ruled(rule, eqn, values, [to], **known)


def _proportional(local: Local, cts: list[Any]) -> list[Any]:
    """Input times gradient, in proportion: for a sum, the share of every addend."""
    _, totals = jax.jvp(local.fn, tuple(local.xs), tuple(local.xs))
    shares = [
        ct if ct.dtype == jax.dtypes.float0 else shared(ct, z, TINY).astype(ct.dtype)
        for ct, z in zip(cts, totals, strict=True)
    ]
    pulled = local.pull(local.xs, shares)
    return [x * p for x, p in zip(local.xs, pulled, strict=True)]
