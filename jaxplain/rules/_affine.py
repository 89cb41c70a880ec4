"""A linear layer that is not evaluated yet, so that what follows folds into it."""

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import JaxprEqn

from .. import _jaxpr
from ._active import Active, Roots
from ._shares import Rule

FOLDED = frozenset(
    "broadcast_in_dim expand_dims reshape slice squeeze transpose".split()
)


@dataclasses.dataclass(frozen=True, eq=False)
class Affine:
    """`moves(layer(source, weight)) + shift`, with a constant weight and shift.

    The bias and the batch normalisation that follow a convolution fold into it, so a
    rule sees one affine map however the model writes it. It is evaluated when somebody
    looks at it: see `settled`.

    Attributes:
        rule: How it shares relevance.
        source: Its input.
        weight: Its constant operand, scaled by what was folded in.
        eqn: Its product; None for an elementwise one.
        side: Which operand of the product `source` is.
        moves: Reshapes and transposes after the product.
        shift: Added at the end; None for nothing.
        roots: Values of which it is an elementwise function, nearest last.
    """

    rule: Rule
    source: Any
    weight: Any
    eqn: JaxprEqn | None = None
    side: int = 0
    moves: tuple[JaxprEqn, ...] = ()
    shift: Any = None
    roots: Roots = ()

    role = "signal"

    @property
    def shape(self) -> tuple[int, ...]:
        return self._last.shape

    @property
    def dtype(self) -> Any:
        return self._last.dtype

    @property
    def _last(self) -> Any:
        last = self.moves[-1] if self.moves else self.eqn
        return _jaxpr.aval(last.outvars[0]) if last else self.source.value

    def layer(self, x: Any, w: Any) -> Any:
        if self.eqn is None:
            return x * w
        (z,) = _jaxpr.bind(self.eqn, [x, w] if self.side == 0 else [w, x])
        for move in self.moves:
            (z,) = _jaxpr.bind(move, [z])
        return z

    @functools.cached_property
    def settled(self) -> Active:
        """The value, from which the rule takes relevance back to the source."""
        # Without its arrays: a closure over a tracer would leak out of a scan.
        bare = dataclasses.replace(self, source=None, weight=None, shift=None, roots=())

        def run(x: Any, w: Any, shift: Any) -> Any:
            z = bare.layer(x, w)
            return z if shift is None else z + shift

        twin = jax.custom_vjp(run)

        def backward(saved: Any, relevance: Any) -> Any:
            x, w, shift = saved
            back = bare.rule.pass_back(bare.layer, x, w, shift, relevance)
            return back, None, None

        twin.defvjp(lambda *operands: (run(*operands), operands), backward)
        value = twin(self.source.value, self.weight, self.shift)
        return Active((value,), roots=(*self.roots, self))

    def moved(self, eqn: JaxprEqn) -> "Affine | None":
        """Followed by a reshape or a transpose; None if that does not fold."""
        before, after = map(_jaxpr.aval, (eqn.invars[0], eqn.outvars[0]))
        same_size = before.size == after.size
        if self.eqn is None or eqn.primitive.name not in FOLDED or not same_size:
            return None
        shift = self.shift
        if shift is not None:
            (shift,) = _jaxpr.bind(eqn, [jnp.broadcast_to(shift, self.shape)])
        moves = (*self.moves, eqn)
        return dataclasses.replace(self, moves=moves, shift=shift, roots=())

    def then(self, name: str, constant: Any, side: int) -> "Affine | None":
        """Followed by arithmetic with a constant; None if that does not fold.

        `side` is the operand that this map is: `constant - self` has side 1.
        """
        constant = jnp.asarray(constant)
        if name in ("mul", "div"):
            return self._scaled(constant if name == "mul" else 1 / constant)
        if name == "sub" and side == 1:
            return self.negated()._shifted(constant)
        return self._shifted(-constant if name == "sub" else constant)

    def negated(self) -> "Affine":
        shift = None if self.shift is None else -self.shift
        return self._with(weight=-jnp.asarray(self.weight), shift=shift)

    def _shifted(self, constant: Any) -> "Affine":
        shift = constant if self.shift is None else self.shift + constant
        return self._with(shift=shift)

    def _scaled(self, constant: Any) -> "Affine | None":
        scale = self._per_feature(constant) if self.eqn else constant
        if scale is None:
            return None
        shift = None if self.shift is None else self.shift * constant
        return self._with(weight=self.weight * scale, shift=shift)

    def _with(self, **changes: Any) -> "Affine":
        return dataclasses.replace(self, roots=(*self.roots, self), **changes)

    def _per_feature(self, constant: Any) -> Any:
        """A factor of the weight, if `constant` scales output features alone."""
        if jnp.size(constant) == 1:
            return jnp.reshape(constant, ())
        axes = self._feature_axes()
        shape = jnp.shape(constant)
        scaled = [i for i, n in enumerate(shape) if n != 1]
        if len(shape) != len(self.shape) or not set(scaled) <= set(axes):
            return None
        order = sorted(scaled, key=axes.__getitem__)
        factor = jnp.transpose(jnp.squeeze(constant), [scaled.index(i) for i in order])
        sizes = [1] * jnp.ndim(self.weight)
        for i in order:
            sizes[axes[i]] = shape[i]
        return jnp.reshape(factor, sizes)

    def _feature_axes(self) -> dict[int, int]:
        """Axes of output features: from what comes out to the weight."""
        if self.eqn is None:
            return {}
        spec = self.eqn.params["dimension_numbers"]
        if self.eqn.primitive.name == "conv_general_dilated":
            pairs = [(spec.out_spec[1], spec.rhs_spec[0])] if self.side == 0 else []
        else:
            contracted, batch = spec
            bound = (*contracted[1 - self.side], *batch[1 - self.side])
            free = [i for i in range(jnp.ndim(self.weight)) if i not in bound]
            num_axes = len(_jaxpr.aval(self.eqn.outvars[0]).shape)
            first = num_axes - len(free) if self.side == 0 else len(batch[0])
            pairs = list(enumerate(free, first))
        for move in self.moves:
            pairs = [(_after(move, axis), of_weight) for axis, of_weight in pairs]
            pairs = [(axis, of_weight) for axis, of_weight in pairs if axis is not None]
        return dict(pairs)


def _after(move: JaxprEqn, axis: int) -> int | None:
    """Where an axis goes in a transpose, or a reshape that changes unit axes only."""
    if move.primitive.name == "transpose":
        return move.params["permutation"].index(axis)
    if move.primitive.name == "broadcast_in_dim":
        return move.params["broadcast_dimensions"][axis]
    before, after = (_jaxpr.aval(v).shape for v in (move.invars[0], move.outvars[0]))
    long = lambda shape: [i for i, n in enumerate(shape) if n != 1]
    kept = [before[i] for i in long(before)] == [after[i] for i in long(after)]
    if not kept or axis not in long(before):
        return None
    return long(after)[long(before).index(axis)]
