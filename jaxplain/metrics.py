"""Is the explanation any good? Numbers and curves, as transformations of `f`."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, PyTree

from . import _checks, _tree
from ._types import REQUIRED, Gap, Scalar, ScalarFn, Ts, X, X_contra
from .games import game


class Curve(NamedTuple):
    """The value of `f` as features are removed or inserted, in order of attribution.

    Attributes:
        fraction: Share of the features treated so far, from 0 to 1; shape
            `(steps + 1,)`.
        value: `f` at each of them, in its own units; shape `(steps + 1,)`.
        area: Area under the curve by the trapezoid rule, in the units of `f`.
    """

    fraction: Float[Array, " points"]
    value: Float[Array, " points"]
    area: Scalar


class Ranked(Protocol[X_contra, *Ts]):
    """`measure(x, *args, attribution, baseline)` returns a `Curve`."""

    def __call__(
        self,
        x: X_contra,
        /,
        *args: *Ts,
        attribution: PyTree,
        baseline: X_contra | ArrayLike,
    ) -> Curve: ...


def completeness_gap(f: ScalarFn[X, *Ts]) -> Gap[X, *Ts]:
    r"""What an attribution claims beyond the difference that it explains.

    $$\sum_i \phi_i - \left(f(x) - f(b)\right)$$

    Zero for a complete explainer, up to its numerical error. A small gap does not make
    an attribution right: rescaling closes it without moving any feature. Signed, and
    in the units of `f`; a relative gap means little where `f(x)` is close to `f(b)`.

    Args:
        f: Function that was explained.

    Returns:
        `measure(x, *args, attribution, baseline)`, a scalar. The attribution may have
        any structure, such as one entry per group. Costs two evaluations of `f`.

    Raises:
        ValueError: If `f` does not return a scalar, or `baseline` does not fit `x`.
        TypeError: If `x` holds integers, or `baseline` is missing.

    Example:
        >>> f = lambda x: x[0] * x[1]
        >>> x = jnp.array([2.0, 3.0])
        >>> gradient_times_input = jnp.array([6.0, 6.0])
        >>> completeness_gap(f)(x, attribution=gradient_times_input, baseline=0.0)
        Array(6., dtype=float32)

    References:
        Sundararajan, Taly and Yan (2017), arXiv:1703.01365, proposition 1.
    """

    def measure(
        x: X,
        /,
        *args: *Ts,
        attribution: PyTree = REQUIRED,
        baseline: X | ArrayLike = REQUIRED,
    ) -> Scalar:
        x = _checks.inputs(x)
        start = _checks.baseline(baseline, x)
        value = _checks.scalar(f)
        full, empty = value(x, *args), value(start, *args)
        wide = _tree.accumulator(full.dtype)
        claimed = _tree.total(_checks.given(attribution)).astype(wide)
        return claimed - (full.astype(wide) - empty.astype(wide))

    return measure


def deletion(
    f: ScalarFn[X, *Ts], *, steps: int = 16, chunk_size: int | None = None
) -> Ranked[X, *Ts]:
    """How `f` falls as the features with the highest attribution are removed first.

    Removed features take the value of the baseline. The lower the area, the better the
    ranking, for this baseline: inputs halfway are unlike any that the model has seen,
    so compare explainers on the same `f`, `x` and baseline only, and against a random
    order.

    Args:
        f: Function that was explained.
        steps: Number of equal steps from no feature to all of them.
        chunk_size: Number of inputs evaluated at once; all of them by default.
            Peak memory follows it.

    Returns:
        `measure(x, *args, attribution, baseline)`, a `Curve`. The attribution has the
        structure of `x`, and the shape of each leaf, or of its leading axes: a map of
        `(height, width)` removes whole pixels. Equal attributions keep the order of the
        input; NaN goes last. Costs `steps + 1` evaluations of `f`.

    Raises:
        ValueError: If `steps` is below 1, `f` does not return a scalar, or
            `attribution` or `baseline` do not fit `x`.
        TypeError: If `x` holds integers, or `baseline` is missing.

    Example:
        >>> x, f = jnp.array([1.0, 2.0, 4.0]), jnp.sum
        >>> curve = deletion(f, steps=3)(x, attribution=x, baseline=0.0)
        >>> curve.value, curve.area
        (Array([7., 3., 1., 0.], dtype=float32), Array(2.5, dtype=float32))

    References:
        Petsiuk, Das and Saenko (2018), *RISE*, arXiv:1806.07421: the deletion and
        insertion metrics.
        Samek et al. (2017), *Evaluating the Visualization of What a Deep Neural
        Network Has Learned*, arXiv:1509.06321: region perturbation.
    """
    return _curve(f, steps, chunk_size, present=lambda rank, count: rank >= count)


def insertion(
    f: ScalarFn[X, *Ts], *, steps: int = 16, chunk_size: int | None = None
) -> Ranked[X, *Ts]:
    """How `f` rises as the features with the highest attribution are inserted first.

    From the baseline to the input. The higher the area, the better the ranking; see
    `deletion` for what that does not say, and for the arguments.

    Args:
        f: Function that was explained.
        steps: Number of equal steps from no feature to all of them.
        chunk_size: Number of inputs evaluated at once; all of them by default.
            Peak memory follows it.

    Returns:
        `measure(x, *args, attribution, baseline)`, a `Curve`.

    Raises:
        ValueError: As `deletion`.
        TypeError: As `deletion`.

    Example:
        >>> x, f = jnp.array([1.0, 2.0, 4.0]), jnp.sum
        >>> insertion(f, steps=3)(x, attribution=x, baseline=0.0).value
        Array([0., 4., 6., 7.], dtype=float32)

    References:
        Petsiuk, Das and Saenko (2018), *RISE*, arXiv:1806.07421: the deletion and
        insertion metrics.
    """
    return _curve(f, steps, chunk_size, present=lambda rank, count: rank < count)


def _curve(
    f: ScalarFn[X, *Ts],
    steps: int,
    chunk_size: int | None,
    present: Callable[[Array, Array], Array],
) -> Ranked[X, *Ts]:
    _checks.count("steps", steps)
    _checks.chunk_size(chunk_size)
    fraction = np.linspace(0, 1, steps + 1)

    def measure(
        x: X,
        /,
        *args: *Ts,
        attribution: PyTree = REQUIRED,
        baseline: X | ArrayLike = REQUIRED,
    ) -> Curve:
        x = _checks.inputs(x)
        v = game(f, x, *args, baseline=baseline)
        ranks, number = _ranks(_checks.ranking(_checks.given(attribution), x))
        counts = jnp.asarray(np.rint(fraction * number).astype(np.int32))

        def value(i: Array) -> Array:
            def mask(rank: Array, leaf: Array) -> Array:
                kept = present(rank, counts[i]).astype(jnp.float32)
                kept = kept.reshape(*kept.shape, *(1,) * (leaf.ndim - kept.ndim))
                return jnp.broadcast_to(kept, leaf.shape)

            out = v(jax.tree.map(mask, ranks, x))
            return out.astype(_tree.accumulator(out.dtype))

        values = _tree.map_samples(value, steps + 1, chunk_size)
        area = (values[:-1] + values[1:]).sum() / (2 * steps)
        return Curve(jnp.asarray(fraction, values.dtype), values, area)

    return measure


def _ranks(attribution: PyTree) -> tuple[PyTree, int]:
    """The place of each feature in the order of attribution, 0 for the highest."""
    leaves, treedef = jax.tree.flatten(attribution)
    dtype = _tree.widest(leaves)
    flat = jnp.concatenate([leaf.ravel().astype(dtype) for leaf in leaves])
    order = jnp.argsort(-flat, stable=True)
    rank = (
        jnp.zeros(flat.size, jnp.int32)
        .at[order]
        .set(jnp.arange(flat.size, dtype=jnp.int32))
    )
    bounds = np.cumsum([leaf.size for leaf in leaves])[:-1]
    parts = [
        part.reshape(leaf.shape)
        for part, leaf in zip(jnp.split(rank, bounds), leaves, strict=True)
    ]
    return treedef.unflatten(parts), flat.size
