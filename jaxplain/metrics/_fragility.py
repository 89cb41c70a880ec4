"""Can an explanation be moved while the output stays?"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree

from .. import _checks, _tree
from .._types import REQUIRED, Averaged, Explains, PRNGKey, Scalar
from ._agreement import at_most, rank_correlation
from ._ball import check_options, clipped, near, radii, uphill
from ._ties import top
from ._vectors import norm, vector

Aim = Literal["top_k", "mass_centre"]
Objective: TypeAlias = Callable[[PyTree, PyTree], Array]


class Attacked(NamedTuple):
    """The input nearby at which an explanation differs most.

    Attributes:
        x: The input that was found, `x` itself if none is better.
        attribution: Its explanation.
        similarity: How like the explanation of `x` it is.
        change: `f` there, less `f(x)`; at most `tolerance` in size.
    """

    x: PyTree
    attribution: PyTree
    similarity: Any
    change: Scalar


def fragility(
    explain: Explains[Any],
    f: Explains[Any],
    *,
    radius: PyTree,
    tolerance: float,
    objective: Aim | Objective = "top_k",
    k: int = 10,
    steps: int = 100,
    similarity: Callable[[Any, Any], Any] = rank_correlation,
) -> Averaged[Attacked]:
    r"""Move an explanation as far as possible with a change that `f` hardly sees.

    $$\max_{\delta} D\left(\phi(x), \phi(x + \delta)\right) \quad \text{such that}
    \quad \lVert \delta \rVert_\infty \le r, \; |f(x + \delta) - f(x)| \le \tau$$

    by gradient ascent through the explainer: along the signs of the slope of `D`, less
    its part along that of `f`, then back to where `f` is within the tolerance. The best
    input on the way that keeps both bounds counts. What it finds is a witness; that it
    finds none proves nothing. The explanation needs a slope: the gradient of a network
    of ReLUs is constant in pieces, so its `saliency` has none. Attack a smooth twin
    instead, with `jax.nn.softplus`, as the paper does.

    Args:
        explain: Any differentiable explainer, `explain(x, *args, **refs)`. If it draws
            samples, bind its key: `partial(explain, key=key)`.
        f: The model, `f(x, *args)`, a scalar.
        radius: Largest change of each entry, in the units of `x`; any prefix of `x`.
        tolerance: Largest change of `f`, in its units.
        objective: `"top_k"` takes attribution away from the `k` features that had the
            most; `"mass_centre"` moves the centre of the absolute attribution, along
            all axes of each array; or `objective(own, other)`, to be made large.
        k: Number of features for `"top_k"`.
        steps: Number of steps, of `4 / steps` of the radius.
        similarity: `similarity(own, other)` of two explanations, for the answer.

    Returns:
        `measure(x, *args, key, **refs)`, an `Attacked`. The key draws the start. Costs
        `steps + 1` explanations with their gradients, and twice as many gradients of
        `f`.

    Raises:
        ValueError: If `radius` or `tolerance` is not positive, `objective` is unknown,
            `steps` or `k` is below 1, or `k` is above the number of features.
        TypeError: If `x` holds integers, or `key` is missing, or no random key.

    Example:
        >>> f = lambda x: jnp.sin(x).sum()
        >>> attack = fragility(input_x_gradient(f), f, radius=0.5, tolerance=0.1, k=1)
        >>> found = jax.jit(attack)(jnp.array([1.0, 0.8, 0.4]), key=jax.random.key(0))
        >>> found.similarity, jnp.abs(found.change) <= 0.1
        (Array(-1., dtype=float32), Array(True, dtype=bool))

    References:
        Ghorbani, Abid and Zou (2019), *Interpretation of Neural Networks is Fragile*,
        arXiv:1710.10547, algorithm 1.
    """
    check_options(radius, 1, None)
    _checks.positive("tolerance", tolerance)
    _checks.count("steps", steps)
    _checks.count("k", k)
    if not callable(objective):
        _checks.choice("objective", objective, get_args(Aim))

    def measure(
        x: Any, /, *args: Any, key: PRNGKey = REQUIRED, **refs: Any
    ) -> Attacked:
        _checks.key(key, "fragility")
        x = _checks.inputs(x)
        value = _checks.scalar(f)
        bound = radii(radius, x)
        own, start = explain(x, *args, **refs), value(x, *args)
        aim = _aim(objective, own, k)

        def moved(there: Any) -> Array:
            return aim(explain(there, *args, **refs))

        def outside(there: Any) -> tuple[Array, Any]:
            now, slope = jax.value_and_grad(value)(there, *args)
            return now - start, slope

        def keep(best: Any, there: Any, score: Array, change: Array) -> Any:
            better = (jnp.abs(change) <= tolerance) & (score > best[1])
            choose = lambda new, old: jnp.where(better, new, old)
            return jax.tree.map(choose, (there, score, change), best)

        def climb(carry: Any, _: Any) -> tuple[Any, None]:
            there, best = carry
            score, slope = jax.value_and_grad(moved)(there)
            change, normal = outside(there)
            best = keep(best, there, score, change)
            there = uphill(there, _along(slope, normal), bound, 4 / steps)
            there = clipped(there, x, bound)
            there = _back(there, *outside(there), tolerance)
            return (clipped(there, x, bound), best), None

        none = (x, moved(x), jnp.zeros_like(start))
        begin = near(x, bound, key)
        begin = clipped(_back(begin, *outside(begin), tolerance), x, bound)
        (end, best), _ = jax.lax.scan(climb, (begin, none), length=steps)
        there, _, change = keep(best, end, moved(end), outside(end)[0])
        other = explain(there, *args, **refs)
        return Attacked(there, other, similarity(own, other), change)

    return measure


def _aim(objective: Aim | Objective, own: PyTree, k: int) -> Callable[[PyTree], Array]:
    """What to make large, as a function of the other explanation."""
    if objective == "top_k":
        first = vector(own)
        at_most(k, first.size)
        highest = top(first, jnp.asarray(k))
        return lambda other: -jnp.sum(highest * vector(other)) / norm(other)
    if objective == "mass_centre":
        home = _centres(own)
        return lambda other: norm(jax.tree.map(jnp.subtract, _centres(other), home))
    return lambda other: objective(own, other)


def _centres(attribution: PyTree) -> list[Array]:
    """The centre of the absolute values of each leaf, in entries along each axis."""

    def centre(leaf: Array) -> Array:
        mass = jnp.abs(leaf).astype(_tree.accumulator(leaf.dtype))
        mass = mass / mass.sum()
        along = [
            jnp.sum(mass * jax.lax.broadcasted_iota(mass.dtype, mass.shape, axis))
            for axis in range(mass.ndim)
        ]
        return jnp.stack(along)

    # A number has no axis to move along.
    return [centre(leaf) for leaf in _tree.leaves(attribution) if leaf.ndim]


def _along(slope: PyTree, normal: PyTree) -> PyTree:
    """A slope, less its part in the direction of another."""
    a, b = vector(slope), vector(normal)
    squares = jnp.sum(b * b)
    share = jnp.sum(a * b) / jnp.where(squares == 0, 1, squares)
    return jax.tree.map(lambda s, n: s - share.astype(s.dtype) * n, slope, normal)


def _back(there: PyTree, change: Array, slope: PyTree, tolerance: float) -> PyTree:
    """To first order, the nearest input where the output is well within the tolerance.

    Well, since the step is to first order, and what leaves the box is cut off.
    """
    excess = change - jnp.clip(change, -tolerance / 2, tolerance / 2)
    squares = jnp.sum(vector(slope) ** 2)
    share = excess.astype(squares.dtype) / jnp.where(squares == 0, 1, squares)
    return jax.tree.map(
        lambda leaf, s: leaf - share.astype(leaf.dtype) * s, there, slope
    )
