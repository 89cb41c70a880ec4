"""How far does an explanation move when the input moves a little?"""

from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, PyTree

from .. import _checks, _tree
from .._types import REQUIRED, Averaged, Explains, PRNGKey, Scalar
from ._ball import around, check_options, clipped, near, radii, sub, uphill
from ._vectors import norm


def max_sensitivity(
    explain: Explains[Any],
    *,
    radius: PyTree = 0.02,
    num_samples: int = 10,
    chunk_size: int | None = None,
) -> Averaged[Scalar]:
    r"""The largest change of an explanation nearby, relative to its own length.

    $$\max_{\lVert \delta \rVert_\infty \le r}
    \frac{\lVert \phi(x + \delta) - \phi(x) \rVert}{\lVert \phi(x) \rVert}$$

    over a random sample: a lower bound, which hardly grows with more samples where the
    input has many entries. `worst_sensitivity` climbs from the same samples. Lower is
    more stable, and no more than that: a constant map scores 0. Part of it is the
    model's: where `f` bends, an honest explanation moves. The paper does not divide by
    the length of the explanation; divided, maps of other scales compare.

    Args:
        explain: Any explainer, `explain(x, *args, **refs)`. If it draws samples, bind
            its key: `partial(explain, key=key)`.
        radius: Largest change of each entry, in the units of `x`; any prefix of `x`.
        num_samples: Number of inputs nearby.
        chunk_size: Number of inputs at once; all of them by default.
            Peak memory follows it.

    Returns:
        `measure(x, *args, key, **refs)`, a scalar. NaN or infinite if the explanation
        of `x` is zero everywhere. Costs `num_samples + 1` explanations.

    Raises:
        ValueError: If `radius` is not positive or does not fit `x`, or `num_samples` or
            `chunk_size` is below 1.
        TypeError: If `x` holds integers, or `key` is missing, or no random key.

    Example:
        >>> square = saliency(lambda x: (x**2).sum())
        >>> measure = max_sensitivity(square, radius=0.1, num_samples=1000)
        >>> jax.jit(measure)(jnp.ones(1), key=jax.random.key(0)).round(2)
        Array(0.1, dtype=float32)

    References:
        Yeh, Hsieh, Suggala, Inouye and Ravikumar (2019), *On the (In)fidelity and
        Sensitivity of Explanations*, arXiv:1901.09392, definition 3.
    """
    return _sampled(
        "max_sensitivity", explain, radius, num_samples, chunk_size, jnp.max
    )


def mean_sensitivity(
    explain: Explains[Any],
    *,
    radius: PyTree = 0.02,
    num_samples: int = 10,
    chunk_size: int | None = None,
) -> Averaged[Scalar]:
    r"""The mean change of an explanation nearby, relative to its own length.

    $$\mathbb{E}_\delta \left[\frac{\lVert \phi(x + \delta) - \phi(x)
    \rVert}{\lVert \phi(x) \rVert}\right]$$

    with every entry of the change even between `-r` and `r`. Unlike the maximum it
    converges, as `1 / sqrt(num_samples)`. See `max_sensitivity` for the rest.

    Args:
        explain: As `max_sensitivity`.
        radius: As `max_sensitivity`.
        num_samples: As `max_sensitivity`.
        chunk_size: As `max_sensitivity`.

    Returns:
        `measure(x, *args, key, **refs)`, a scalar.

    Raises:
        ValueError: As `max_sensitivity`.
        TypeError: As `max_sensitivity`.

    Example:
        >>> square = saliency(lambda x: (x**2).sum())
        >>> measure = mean_sensitivity(square, radius=0.1, num_samples=1000)
        >>> jax.jit(measure)(jnp.ones(1), key=jax.random.key(0)).round(2)
        Array(0.05, dtype=float32)

    References:
        Bhatt, Weller and Moura (2020), *Evaluating and Aggregating Feature-based Model
        Explanations*, arXiv:2005.00631, definition 2.
    """
    return _sampled(
        "mean_sensitivity", explain, radius, num_samples, chunk_size, jnp.mean
    )


def worst_sensitivity(
    explain: Explains[Any],
    *,
    radius: PyTree = 0.02,
    steps: int = 10,
    num_samples: int = 10,
    chunk_size: int | None = None,
) -> Averaged[Scalar]:
    r"""The largest change of an explanation that gradient ascent finds nearby.

    $$\max_{\lVert \delta \rVert_\infty \le r}
    \frac{\lVert \phi(x + \delta) - \phi(x) \rVert}{\lVert \phi(x) \rVert}$$

    `max_sensitivity` with a maximiser: from each of its samples, steps along the signs
    of the gradient, through the explainer, back into the box. The largest value on the
    way counts, so it is never below `max_sensitivity` with the same key and samples. It
    is a lower bound still, and it needs a slope: the gradient of a network of ReLUs is
    constant in pieces, so its `saliency` gives none, and the two agree.

    Args:
        explain: Any differentiable explainer, `explain(x, *args, **refs)`. If it draws
            samples, bind its key: `partial(explain, key=key)`.
        radius: Largest change of each entry, in the units of `x`; any prefix of `x`.
        steps: Number of steps of each ascent, of `2.5 / steps` of the radius.
        num_samples: Number of starts.
        chunk_size: Number of starts at once; all of them by default.
            Peak memory follows it.

    Returns:
        `measure(x, *args, key, **refs)`, a scalar. NaN or infinite if the explanation
        of `x` is zero everywhere. Costs `num_samples * (steps + 1)` explanations with
        their gradients.

    Raises:
        ValueError: If `steps` is below 1; else as `max_sensitivity`.
        TypeError: As `max_sensitivity`.

    Example:
        >>> square = saliency(lambda x: (x**2).sum())
        >>> measure = worst_sensitivity(square, radius=0.1)
        >>> jax.jit(measure)(jnp.ones(100), key=jax.random.key(0)).round(3)
        Array(0.1, dtype=float32)

    References:
        Yeh et al. (2019), arXiv:1901.09392, definition 3.
        Madry, Makelov, Schmidt, Tsipras and Vladu (2018), *Towards Deep Learning Models
        Resistant to Adversarial Attacks*, arXiv:1706.06083: the ascent.
    """
    _checks.count("steps", steps)
    check_options(radius, num_samples, chunk_size)

    def measure(x: Any, /, *args: Any, key: PRNGKey = REQUIRED, **refs: Any) -> Scalar:
        _checks.key(key, "worst_sensitivity")
        x = _checks.inputs(x)
        bound = radii(radius, x)
        own = explain(x, *args, **refs)

        def moved(there: Any) -> Array:
            return relative_change(own, explain(there, *args, **refs))

        def climb(there: Any, _: Any) -> tuple[Any, Array]:
            value, slope = jax.value_and_grad(moved)(there)
            there = uphill(there, slope, bound, 2.5 / steps)
            return clipped(there, x, bound), value

        def sample(i: Array) -> Array:
            start = near(x, bound, jr.fold_in(key, i))
            end, values = jax.lax.scan(climb, start, length=steps)
            return jnp.maximum(values.max(), moved(end))

        return _tree.map_samples(sample, num_samples, chunk_size).max()

    return measure


def relative_change(own: PyTree, other: PyTree) -> Array:
    """The distance between two explanations, relative to the length of the first."""
    return norm(sub(other, own)) / norm(own)


def _sampled(
    who: str,
    explain: Explains[Any],
    radius: PyTree,
    num_samples: int,
    chunk_size: int | None,
    reduce: Any,
) -> Averaged[Scalar]:
    changes = around(
        who,
        explain,
        lambda x, own, there, other: relative_change(own, other),
        radius=radius,
        num_samples=num_samples,
        chunk_size=chunk_size,
    )

    def measure(x: Any, /, *args: Any, key: PRNGKey = REQUIRED, **refs: Any) -> Scalar:
        return reduce(changes(x, args, key, refs))

    return measure
