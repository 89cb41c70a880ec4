"""A mask that says what `f` needs, found by gradient descent."""

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, get_args

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float, PyTree

from .. import _checks, _tree
from .._types import REQUIRED, Explains, Labels, Scalar, ScalarFn, Ts, X
from ..games import game
from . import _axes, _descent, _mask_costs

if TYPE_CHECKING:
    import optax

Goal: TypeAlias = Literal["preserve", "delete"]


class LearnedMask(NamedTuple):
    """A mask, and how it was found.

    Attributes:
        mask: From 0 to 1, how much each entry matters: shaped like `x`, or one number
            per group.
        value: `f` of the perturbed input: of what the mask keeps, or of what is left
            when it is taken away.
        losses: The loss before each step, shape `(steps,)`. Where its end is not flat,
            take more steps.
    """

    mask: Any
    value: Scalar
    losses: Float[Array, " steps"]


def learned_mask(
    f: ScalarFn[X, *Ts],
    *,
    goal: Goal = "preserve",
    sparsity: float = 1.0,
    smoothness: float = 0.0,
    grid: int | tuple[int, ...] | None = None,
    num_groups: int | None = None,
    steps: int = 300,
    optimizer: "optax.GradientTransformation | None" = None,
) -> Explains[LearnedMask]:
    r"""The smallest part of the input that keeps `f`, or without which it falls.

    $$\min_{m \in [0, 1]^d} \; -\frac{f(m \odot x + (1 - m) \odot b) - f(b)}
    {f(x) - f(b)} + \lambda \, \bar m + \mu \, \mathrm{TV}(m)$$

    to preserve; to delete, $m$ and $1 - m$ change places in `f`, and the first term
    its sign. In both, a high $m$ marks what matters. The loss counts in shares of
    `f(x) - f(b)`, so $\lambda$ has no unit: in a sum, it selects what brings more than
    $\lambda$ times its share of the area. `f(b)` and `f(x)` must differ.

    With an `area` $a$ the number of entries is given instead of its price: the minimum
    is over masks with $\bar m = a$ and without $\lambda$, by the Frank-Wolfe method,
    whose steps go towards the best mask of that area and have no rate to choose.
    Map `area` with `jax.vmap` for masks of several sizes in one program. The
    papers penalise the distance of the sorted mask to zeros and ones instead, which
    found at best as high an `f` on random networks of ReLUs, in more steps.

    A local optimum, that depends on the optimizer. Where entries can stand in for each
    other, one of them is chosen, and the mask does not say that there was a choice.
    Masks find inputs that no data resemble: `f` may be higher than at `x`. A `grid`,
    `smoothness` and a `baseline` such as a blurred image make that harder.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar. To keep an output as it
            is, rather than high, take minus the distance to it.
        goal: `"preserve"`, or `"delete"`.
        sparsity: Price $\lambda$ of the area.
        smoothness: Price $\mu$ of the total variation: the mean difference of
            neighbours on the axes of the grid; without one, on all axes but the
            last, which holds channels, or on the only one.
        grid: Number of cells along each of the leading axes of `x`, which is then one
            array, whose other axes share the mask; stretched linearly. One number is
            for all axes but the last. By default every entry has a mask of its own.
        num_groups: Number of groups, if `groups` are passed to `fit`.
        steps: Steps of the descent.
        optimizer: An optimizer of optax, where no area is given; by default Adam at
            0.1, which fades out.

    Returns:
        `fit(x, *args, baseline, groups=None, area=None)`, a `LearnedMask`. Costs
        `steps` gradients, one after the other: map it over examples.

    Raises:
        ValueError: If an option is out of range, `f` does not return a scalar, `x` is
            empty, or `baseline`, `groups`, `grid` or `area` does not fit.
        TypeError: If `x` holds integers, `optimizer` is none of optax, or `baseline`
            is missing.

    Example:
        >>> fit = jx.perturbations.learned_mask(lambda x: x[0] * x[1] + 0.1 * x[2])
        >>> fit(jnp.array([1.0, 2.0, 1.0]), baseline=0.0).mask.round(1)
        Array([1., 1., 0.], dtype=float32)

    References:
        Fong and Vedaldi (2017), *Interpretable Explanations of Black Boxes by
        Meaningful Perturbation*, arXiv:1704.03296, equations 3 and 4.
        Fong, Patrick and Vedaldi (2019), *Understanding Deep Networks via Extremal
        Perturbations and Smooth Masks*, arXiv:1910.08485, for masks of an area.
        Crabbé and van der Schaar (2021), *Explaining Time Series Predictions with
        Dynamic Masks*, arXiv:2106.05303, for masks of a series.
        Frank and Wolfe (1956), *An Algorithm for Quadratic Programming*.
    """
    _checks.choice("goal", goal, get_args(Goal))
    _checks.positive("sparsity", sparsity, zero=True)
    _checks.positive("smoothness", smoothness, zero=True)
    sparsity, smoothness = float(sparsity), float(smoothness)
    _checks.sizes(num_groups, None)
    cells = None if grid is None else _axes.sides("grid", grid)
    _mask_costs.neighbours(smoothness, cells, num_groups)
    rule = _descent.optimizer_or_adam(optimizer, _checks.count("steps", steps))

    def fit(
        x: X,
        /,
        *args: *Ts,
        baseline: X | ArrayLike = REQUIRED,
        groups: Labels | None = None,
        area: ArrayLike | None = None,
    ) -> LearnedMask:
        _checks.players("learned_mask", groups, num_groups)
        x = _checks.inputs(x) if cells is None else _axes.one_array("grid", x)
        v = game(f, x, *args, baseline=baseline, groups=groups)
        start, spread, rank = _start(x, cells, num_groups)
        share = None if area is None else _mask_costs.share(area, optimizer)

        def perturbed(m: PyTree) -> Scalar:
            present = m if goal == "preserve" else jax.tree.map(lambda a: 1 - a, m)
            return _wide(v(spread(present)))

        lowest = _wide(v(jax.tree.map(jnp.zeros_like, spread(start))))
        highest = _wide(v(jax.tree.map(jnp.ones_like, spread(start))))
        unit = jnp.where(highest == lowest, 1, highest - lowest)
        sign = -1 if goal == "preserve" else 1

        def loss(m: PyTree) -> Array:
            gain = sign * (perturbed(m) - lowest) / unit
            cost = 0 if share is not None else sparsity * _mask_costs.mean(m)
            rough = smoothness * _mask_costs.roughness(m, rank) if smoothness else 0
            return gain + jnp.asarray(cost + rough, gain.dtype)

        if share is None:
            m, losses = _descent.descend(loss, start, rule, steps)
        else:
            even = jax.tree.map(lambda a: 2 * share.astype(a.dtype) * a, start)
            m, losses = _descent.spend(loss, even, share, steps)
        return LearnedMask(_like(x, spread(m), num_groups), perturbed(m), losses)

    return fit


def _start(
    x: PyTree, cells: _axes.Sides | None, num_groups: int | None
) -> tuple[PyTree, Callable[[PyTree], PyTree], int | None]:
    """Half of everything, the way from there to a mask for `x`, and axes of space."""
    # Made of the input, so that it varies over a mesh as the input does.
    half = jnp.where(jnp.isfinite(_tree.total(x)), 0.5, 0.5).astype(_tree.widest(x))
    if num_groups is not None:
        return jnp.full(num_groups, half), lambda m: m, None
    if cells is None:
        full = lambda leaf: jnp.full(
            leaf.shape, half.astype(_tree.accumulator(leaf.dtype))
        )
        return jax.tree.map(full, x), lambda m: m, None
    sizes = _axes.over_axes("grid", cells, x)
    shape = x.shape[: len(sizes)]
    if any(map(operator.gt, sizes, shape)):
        raise ValueError(
            "`grid` must have at most one cell per entry along an axis of `x`, which "
            f"is {_checks.show(x)}, but is {cells}. Leave `grid` out for a mask of "
            "every entry."
        )

    def stretch(m: Array) -> Array:
        fine = jax.image.resize(m, shape, "linear", antialias=False)
        return fine.reshape(*shape, *(1,) * (x.ndim - len(shape)))

    return jnp.full(sizes, half), stretch, len(sizes)


def _like(x: PyTree, mask: PyTree, num_groups: int | None) -> PyTree:
    if num_groups is not None:
        return mask.astype(
            max((a.dtype for a in _tree.leaves(x)), key=lambda d: d.itemsize)
        )
    fill = lambda m, leaf: jnp.broadcast_to(m, leaf.shape).astype(leaf.dtype)
    return jax.tree.map(fill, mask, x)


def _wide(value: Array) -> Scalar:
    return value.astype(_tree.accumulator(value.dtype))
