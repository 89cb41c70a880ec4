"""Explainer in, explainer out: every average is one of these."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, PyTree

from . import _checks, _tree
from ._types import REQUIRED, Averaged, Expected, Explains, PRNGKey, X


def monte_carlo(
    draw: Explains[X], *, num_samples: int, chunk_size: int | None = None
) -> Averaged[X]:
    r"""Average a random explanation over its randomness.

    $$\phi(x) = \frac{1}{n} \sum_{i=1}^{n} \mathrm{draw}(x;\, k_i)$$

    The standard error falls as `1 / sqrt(num_samples)`. The `i`-th key depends on
    `key` and `i` alone, so the answer is the same for every chunk size, and the first
    samples of a longer run are those of a shorter one.

    Args:
        draw: `draw(x, *args, key, **refs)` returns one random explanation, of any
            structure.
        num_samples: Number of draws.
        chunk_size: Number of draws at once; all of them by default.
            Peak memory follows it.

    Returns:
        `average(x, *args, key, **refs)`, with the structure and dtypes of one draw.

    Raises:
        ValueError: If `num_samples` or `chunk_size` is below 1.
        TypeError: If `key` is missing, or no random key.

    Example:
        RISE, in three lines:

        >>> f = lambda x: x[0] + 2.0 * x[1]
        >>> def rise(x, *, key, baseline):
        ...     mask = jax.random.bernoulli(key, 0.5, x.shape).astype(x.dtype)
        ...     return mask * game(f, x, baseline=baseline)(mask)
        >>> explain = monte_carlo(rise, num_samples=4096)
        >>> explain(jnp.ones(2), key=jax.random.key(0), baseline=0.0).round(1)
        Array([1. , 1.3], dtype=float32)

    References:
        Petsiuk, Das and Saenko (2018), *RISE*, arXiv:1806.07421, equation 6, for the
        example.
    """
    return _average("monte_carlo", draw, num_samples, chunk_size)


def _average(
    who: str, draw: Explains[X], num_samples: int, chunk_size: int | None
) -> Averaged[X]:
    """`monte_carlo`, under the name that the user called."""
    _checks.count("num_samples", num_samples)
    _checks.chunk_size(chunk_size)

    @functools.wraps(draw)
    def average(x: Any, /, *args: Any, key: PRNGKey = REQUIRED, **refs: Any) -> X:
        _checks.key(key, who)
        one = lambda i: draw(x, *args, key=jr.fold_in(key, i), **refs)
        return _tree.mean_samples(one, num_samples, chunk_size)

    return average


def smooth(
    explain: Explains[X],
    *,
    std: PyTree,
    num_samples: int = 25,
    chunk_size: int | None = None,
) -> Averaged[X]:
    r"""Average an explanation over Gaussian noise around the input.

    $$\phi(x) = \frac{1}{n} \sum_{i=1}^{n} \mathrm{explain}(x + \sigma\, \epsilon_i),
    \qquad \epsilon_i \sim \mathcal{N}(0, 1)$$

    SmoothGrad, of any explainer. Complete explainers stay complete on average: the
    attributions sum to the mean of `f` over the noise, less the baseline's value.

    Args:
        explain: Explainer to smooth. If it draws samples itself, average both at once
            with `monte_carlo`, and split the key by hand.
        std: Standard deviation of the noise, in the units of `x`; any prefix of `x`.
            The paper takes 10 to 20 % of the range of `x`.
        num_samples: Number of noisy inputs.
        chunk_size: Number of noisy inputs at once; all of them by default.
            Peak memory follows it.

    Returns:
        `average(x, *args, key, **refs)`, with the structure of `explain`'s result.
        Costs `num_samples` explanations.

    Raises:
        ValueError: If `num_samples` or `chunk_size` is below 1, `std` is negative or
            does not fit `x`, or `x` is empty.
        TypeError: If `x` holds integers, or `key` is missing, or no random key.

    Example:
        >>> gradient = saliency(lambda x: jnp.abs(x).sum())
        >>> smooth(gradient, std=1.0)(jnp.zeros(2), key=jax.random.key(0)).round(1)
        Array([-0.1, 0.2], dtype=float32)

    References:
        Smilkov, Thorat, Kim, Viegas and Wattenberg (2017), *SmoothGrad*,
        arXiv:1706.03825, section 2.2.
    """

    @functools.wraps(explain)
    def smoothed(x: Any, /, *args: Any, key: PRNGKey, **refs: Any) -> X:
        x = _checks.inputs(x)
        noisy = _add_noise(x, _checks.spread_of_noise(std, x), key)
        return explain(noisy, *args, **refs)

    return _average("smooth", smoothed, num_samples, chunk_size)


def _add_noise(x: PyTree, std: PyTree, key: PRNGKey) -> PyTree:
    leaves, treedef = jax.tree.flatten(x)
    keys = treedef.unflatten(list(jr.split(key, len(leaves))))

    def noisy(scale: Array, leaf: Array, key: PRNGKey) -> Array:
        noise = jr.normal(key, leaf.shape, _tree.accumulator(leaf.dtype))
        wide = leaf.astype(noise.dtype) + scale.astype(noise.dtype) * noise
        return wide.astype(leaf.dtype)

    return jax.tree.map(noisy, std, x, keys)


def expected(explain: Explains[X], *, chunk_size: int | None = None) -> Expected[X]:
    r"""Average a contrastive explanation over a stack of baselines.

    $$\phi(x) = \frac{1}{n} \sum_{i=1}^{n} \mathrm{explain}(x;\, b_i)$$

    Expected gradients of `integrated_gradients`; the marginal (interventional) Shapley
    values of `kernel_shap`. Complete explainers stay complete: the attributions sum
    to `f(x)` less the mean of `f` over the baselines. A `key` is shared by all of them.

    Args:
        explain: Explainer that takes a `baseline`.
        chunk_size: Number of baselines at once; all of them by default.
            Peak memory follows it.

    Returns:
        `average(x, *args, baseline, **refs)`, with the structure of `explain`'s
        result. Every leaf of `baseline` has the baselines along its first axis, and so
        not the shape of `x`.
        Costs one explanation per baseline.

    Raises:
        ValueError: If `baseline` has no leading axis, an empty one, or several lengths,
            or the shape of a single baseline.
        TypeError: If `baseline` is missing.

    Example:
        >>> ig = integrated_gradients(lambda x: x[0] * x[1])
        >>> background = jnp.array([[0.0, 0.0], [1.0, 1.0]])
        >>> expected(ig)(jnp.array([2.0, 3.0]), baseline=background)
        Array([2.5, 3. ], dtype=float32)

    References:
        Erion, Janizek, Sturmfels, Lundberg and Lee (2021), *Improving Performance of
        Deep Learning Models with Axiomatic Attribution Priors and Expected Gradients*,
        arXiv:1906.10670: expected gradients.
        Lundberg and Lee (2017), arXiv:1705.07874, equation 11.
    """
    _checks.chunk_size(chunk_size)

    @functools.wraps(explain)
    def average(x: Any, /, *args: Any, baseline: PyTree = REQUIRED, **refs: Any) -> X:
        num_baselines = _checks.stack(baseline, x)
        stacked = jax.tree.map(jnp.asarray, baseline)

        def one(i: Array) -> X:
            reference = jax.tree.map(lambda leaf: leaf[i], stacked)
            return explain(x, *args, baseline=reference, **refs)

        return _tree.mean_samples(one, num_baselines, chunk_size)

    return average
