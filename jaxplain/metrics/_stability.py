"""How far an explanation moves, for how far the input or the model did."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree

from .. import _checks
from .._types import REQUIRED, Averaged, Explains, PRNGKey, Scalar
from ._ball import around, check_options, sub
from ._vectors import norm


def local_lipschitz(
    explain: Explains[Any],
    *,
    radius: PyTree = 0.02,
    num_samples: int = 10,
    chunk_size: int | None = None,
) -> Averaged[Scalar]:
    r"""The steepest change of an explanation nearby.

    $$\max_{x' \in B_r(x)} \frac{\lVert \phi(x) - \phi(x') \rVert}{\lVert x - x'
    \rVert}$$

    over a random sample: a lower bound of the local Lipschitz constant, in the units of
    the explanation by those of `x`. Twice the map has twice the constant, so explainers
    of different scales are not comparable; see `max_sensitivity`. Lower is more stable.

    Args:
        explain: As `max_sensitivity`.
        radius: As `max_sensitivity`.
        num_samples: As `max_sensitivity`.
        chunk_size: As `max_sensitivity`.

    Returns:
        `measure(x, *args, key, **refs)`, a scalar. Inputs that rounding to the dtype of
        `x` leaves in place do not count; NaN if there are no others. Costs
        `num_samples + 1` explanations.

    Raises:
        ValueError: As `max_sensitivity`.
        TypeError: As `max_sensitivity`.

    Example:
        >>> gradient = saliency(lambda x: (x**2).sum())
        >>> measure = jax.jit(local_lipschitz(gradient))
        >>> measure(jnp.ones(3), key=jax.random.key(0)).round(2)
        Array(2., dtype=float32)

    References:
        Alvarez-Melis and Jaakkola (2018), *On the Robustness of Interpretability
        Methods*, arXiv:1806.08049, equation 2.
    """

    def steepness(x: PyTree, own: PyTree, there: PyTree, other: PyTree) -> Array:
        moved = norm(sub(x, there))
        return jnp.where(moved == 0, -jnp.inf, norm(sub(own, other)) / moved)

    steepest = _largest(
        "local_lipschitz", explain, steepness, radius, num_samples, chunk_size
    )

    def measure(x: Any, /, *args: Any, key: PRNGKey = REQUIRED, **refs: Any) -> Scalar:
        found = steepest(x, *args, key=key, **refs)
        return jnp.where(found == -jnp.inf, jnp.nan, found)

    return measure


def relative_input_stability(
    explain: Explains[Any],
    *,
    radius: PyTree = 0.02,
    num_samples: int = 10,
    eps: float = 1e-6,
    chunk_size: int | None = None,
) -> Averaged[Scalar]:
    r"""The largest relative change of an explanation for one of the input.

    $$\max_{x'} \frac{\lVert (\phi(x) - \phi(x')) / \phi(x) \rVert}{\max(\lVert (x - x')
    / x \rVert, \epsilon)}$$

    over a random sample, divided entry by entry. Entries near zero decide: a pixel
    whose attribution crosses zero outweighs all others, so compare medians over
    examples. The paper keeps only neighbours that the model puts into the same class;
    choose a radius within which it does. Lower is more stable.

    Args:
        explain: As `max_sensitivity`.
        radius: As `max_sensitivity`.
        num_samples: As `max_sensitivity`.
        eps: What stands in for zero where it divides: for entries that are zero, and
            for a denominator below it.
        chunk_size: As `max_sensitivity`.

    Returns:
        `measure(x, *args, key, **refs)`, a scalar. Costs `num_samples + 1`
        explanations.

    Raises:
        ValueError: If `eps` is not positive; else as `max_sensitivity`.
        TypeError: As `max_sensitivity`.

    Example:
        >>> measure = relative_input_stability(saliency(lambda x: (x**2).sum()))
        >>> jax.jit(measure)(jnp.array([1.0, 5.0]), key=jax.random.key(0)).round(2)
        Array(1., dtype=float32)

    References:
        Agarwal et al. (2022), *Rethinking Stability for Attribution-based
        Explanations*, arXiv:2203.06877, section 3.3: RIS.
    """
    _checks.positive("eps", eps)

    def ratio(x: PyTree, own: PyTree, there: PyTree, other: PyTree) -> Array:
        return _relative(own, other, eps) / jnp.maximum(_relative(x, there, eps), eps)

    return _largest(
        "relative_input_stability", explain, ratio, radius, num_samples, chunk_size
    )


def relative_output_stability(
    explain: Explains[Any],
    f: Explains[Any],
    *,
    radius: PyTree = 0.02,
    num_samples: int = 10,
    eps: float = 1e-6,
    chunk_size: int | None = None,
) -> Averaged[Scalar]:
    r"""The largest relative change of an explanation for a change of the output.

    $$\max_{x'} \frac{\lVert (\phi(x) - \phi(x')) / \phi(x) \rVert}{\max(\lVert f(x) -
    f(x') \rVert, \epsilon)}$$

    over a random sample. Beside `relative_input_stability`, it excuses an explanation
    that moves because the model does. Where `f` is flat it divides by next to nothing,
    and a moving explanation of a flat model scores without bound. Lower is more stable.

    Args:
        explain: As `max_sensitivity`.
        f: The model, `f(x, *args)`: a scalar, or all its logits, as in the paper.
        radius: As `max_sensitivity`.
        num_samples: As `max_sensitivity`.
        eps: As `relative_input_stability`.
        chunk_size: As `max_sensitivity`.

    Returns:
        `measure(x, *args, key, **refs)`, a scalar; the `refs` go to `explain` alone.
        Costs `num_samples + 1` explanations and evaluations of `f`.

    Raises:
        ValueError: If `eps` is not positive; else as `max_sensitivity`.
        TypeError: As `max_sensitivity`.

    Example:
        >>> f = lambda x: jnp.log(x).sum()
        >>> measure = relative_output_stability(saliency(f), f)
        >>> jax.jit(measure)(jnp.ones(1), key=jax.random.key(0)).round(2)
        Array(1.01, dtype=float32)

    References:
        Agarwal et al. (2022), arXiv:2203.06877, section 3.3: ROS.
    """
    _checks.positive("eps", eps)
    distance = lambda here, there: norm(sub(here, there))
    return _by_model(
        "relative_output_stability",
        explain, f, distance, radius, num_samples, eps, chunk_size,
    )  # fmt: skip


def relative_representation_stability(
    explain: Explains[Any],
    represent: Explains[Any],
    *,
    radius: PyTree = 0.02,
    num_samples: int = 10,
    eps: float = 1e-6,
    chunk_size: int | None = None,
) -> Averaged[Scalar]:
    r"""The largest relative change of an explanation for one of what a layer holds.

    $$\max_{x'} \frac{\lVert (\phi(x) - \phi(x')) / \phi(x) \rVert}{\max(\lVert (h(x) -
    h(x')) / h(x) \rVert, \epsilon)}$$

    over a random sample, with `h` an inner layer. Lower is more stable; see
    `relative_input_stability` for what entries near zero do, to layers too.

    Args:
        explain: As `max_sensitivity`.
        represent: What the layer holds, any pytree:
            `lambda x, *args: jaxplain.cut(f, x, *args, at="block")[0]`.
        radius: As `max_sensitivity`.
        num_samples: As `max_sensitivity`.
        eps: As `relative_input_stability`.
        chunk_size: As `max_sensitivity`.

    Returns:
        `measure(x, *args, key, **refs)`, a scalar; the `refs` go to `explain` alone.
        Costs `num_samples + 1` explanations and representations.

    Raises:
        ValueError: If `eps` is not positive; else as `max_sensitivity`.
        TypeError: As `max_sensitivity`.

    Example:
        >>> f = lambda x: (tap(x**2, "squares")).sum()
        >>> represent = lambda x: cut(f, x, at="squares")[0]
        >>> measure = relative_representation_stability(input_x_gradient(f), represent)
        >>> jax.jit(measure)(jnp.ones(2), key=jax.random.key(0)).round(2)
        Array(1., dtype=float32)

    References:
        Agarwal et al. (2022), arXiv:2203.06877, section 3.3: RRS.
    """
    _checks.positive("eps", eps)
    distance = lambda here, there: _relative(here, there, eps)
    return _by_model(
        "relative_representation_stability",
        explain, represent, distance, radius, num_samples, eps, chunk_size,
    )  # fmt: skip


def _by_model(
    who: str,
    explain: Explains[Any],
    h: Explains[Any],
    distance: Any,
    radius: PyTree,
    num_samples: int,
    eps: float,
    chunk_size: int | None,
) -> Averaged[Scalar]:
    check_options(radius, num_samples, chunk_size)

    def measure(x: Any, /, *args: Any, key: PRNGKey = REQUIRED, **refs: Any) -> Scalar:
        here = h(x, *args)

        def ratio(x: PyTree, own: PyTree, there: PyTree, other: PyTree) -> Array:
            moved = distance(here, h(there, *args))
            return _relative(own, other, eps) / jnp.maximum(moved, eps)

        largest = _largest(who, explain, ratio, radius, num_samples, chunk_size)
        return largest(x, *args, key=key, **refs)

    return measure


def _largest(
    who: str,
    explain: Explains[Any],
    compare: Any,
    radius: PyTree,
    num_samples: int,
    chunk_size: int | None,
) -> Averaged[Scalar]:
    values = around(
        who,
        explain,
        compare,
        radius=radius,
        num_samples=num_samples,
        chunk_size=chunk_size,
    )

    def measure(x: Any, /, *args: Any, key: PRNGKey = REQUIRED, **refs: Any) -> Scalar:
        return values(x, args, key, refs).max()

    return measure


def _relative(here: PyTree, there: PyTree, eps: float) -> Array:
    """The length of a change, each entry divided by where it comes from."""

    def divide(change: Array, leaf: Array) -> Array:
        start = jnp.asarray(leaf).astype(change.dtype)
        return change / jnp.where(start == 0, eps, start)

    return norm(jax.tree.map(divide, sub(here, there), here))
