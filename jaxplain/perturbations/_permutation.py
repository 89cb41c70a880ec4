"""Exchange the values of a feature among the rows of a batch."""

from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Int, PyTree

from .. import _checks, _tree, coalitions
from .._types import REQUIRED, Averaged, Labels, PRNGKey, ScalarFn, Ts, X
from ..games import game


def permutation_importance(
    f: ScalarFn[X, *Ts],
    *,
    num_groups: int | None = None,
    num_samples: int = 5,
    chunk_size: int | None = None,
) -> Averaged[X]:
    r"""How much a score of a batch drops when rows exchange one feature.

    $$\phi_i(X) = f(X) - \mathbb{E}_\pi\left[f(X_{\sim i},\, X_{\pi, i})\right]$$

    `f` takes the whole batch, and returns a score such as accuracy or the negative
    loss. $\pi$ is a random cycle through all rows, so no row keeps its value and every
    other row's is as likely. What is absent looks like the data: no baseline is needed.
    But features that depend on each other are torn apart, and the model is asked about
    rows that cannot be.

    The explanation of a single row is occlusion with another row for a baseline:
    `jax.vmap(occlusion(f))(xs, baseline=xs[order])`.

    Args:
        f: Score of a batch: `f(xs, *args)` returns a scalar.
        num_groups: Number of groups; leave out to exchange each entry of a row.
        num_samples: Number of permutations, shared by the features.
        chunk_size: Number of batches evaluated at once; all of them by default.
            Peak memory follows it.

    Returns:
        `explain(xs, *args, key, groups=None)`, in the units of `f`: shape
        `(num_groups,)` with groups, shaped like one row of `xs` without. Every leaf of
        `xs` has the rows along its first axis; `groups` labels a row, as in `game`.
        Costs `num_samples * d + 1` evaluations of `f`.

    Raises:
        ValueError: If `f` does not return a scalar, `xs` has fewer than two rows or
            leaves of different lengths, or `groups` does not fit a row, or only
            one of `groups` and `num_groups` is given.
        TypeError: If `xs` holds integers, or `key` is missing.

    Example:
        >>> xs = jax.random.normal(jax.random.key(0), (200, 3))
        >>> ys = xs[:, 0] + 2.0 * xs[:, 1]
        >>> score = lambda xs, ys: -((xs[:, 0] + 2.0 * xs[:, 1] - ys) ** 2).mean()
        >>> explain = jax.jit(permutation_importance(score))
        >>> explain(xs, ys, key=jax.random.key(1)).round(0) + 0.0
        Array([2., 7., 0.], dtype=float32)

    References:
        Breiman (2001), *Random Forests*, section 10.
        Fisher, Rudin and Dominici (2019), *All Models Are Wrong, but Many Are Useful*,
        arXiv:1801.01489, equation 5.
    """
    _checks.sizes(num_groups, chunk_size)
    _checks.count("num_samples", num_samples)

    def explain(
        x: X,
        /,
        *args: *Ts,
        key: PRNGKey = REQUIRED,
        groups: Labels | None = None,
    ) -> Any:
        _checks.key(key, "permutation_importance")
        _checks.players("permutation_importance", groups, num_groups)
        xs = _checks.inputs(x)
        rows = _number_of_rows(xs)
        labels, d, unflatten = _features(xs, groups, num_groups)
        design = coalitions.leave_one_out(d)

        def score(i: Int[Array, ""]) -> Array:
            """One feature of one permutation, and after all of them the whole batch."""
            other = _cycle(jr.fold_in(key, i // d), rows)
            mixed = jax.tree.map(lambda leaf: leaf[other], xs)
            left_out = jnp.where(i == num_samples * d, d, i % d)
            mask = design(left_out).astype(_tree.widest(xs))
            value = game(f, xs, *args, baseline=mixed, groups=labels)(mask)
            return value.astype(_tree.accumulator(value.dtype))

        scores = _tree.map_samples(score, num_samples * d + 1, chunk_size)
        exchanged = scores[:-1].reshape(num_samples, d)
        return unflatten(scores[-1] - exchanged.mean(0))

    return explain


def _cycle(key: PRNGKey, number: int) -> Int[Array, " number"]:
    """A random permutation of one cycle: every row gets another one."""
    order = jnp.argsort(jr.bits(key, (number,), jnp.uint32))
    return jnp.zeros_like(order).at[order].set(jnp.roll(order, 1))


def _number_of_rows(xs: PyTree) -> int:
    lengths = {leaf.shape[:1] for leaf in jax.tree.leaves(xs)}
    if len(lengths) != 1 or lengths <= {(), (1,)}:
        raise ValueError(
            "`xs` must be a batch, with two rows or more along the first axis of every "
            f"leaf, but is {jax.tree.map(_checks.show, xs)}. Pass the rows of a data "
            "set, and a score of all of them as `f`."
        )
    return lengths.pop()[0]


def _features(xs: PyTree, groups: Labels | None, num_groups: int | None) -> Any:
    """Labels that rows share, how many there are, and the way back to one row."""
    rows = jax.tree.map(lambda leaf: leaf[0], xs)
    if groups is not None:
        labels = _checks.labels(groups, rows)
        shared = jax.tree.map(lambda label: label[None], labels)
        dtype = max((a.dtype for a in _tree.leaves(xs)), key=lambda d: d.itemsize)
        return shared, num_groups, lambda values: values.astype(dtype)
    leaves, treedef = jax.tree.flatten(rows)
    bounds = np.cumsum([0, *(leaf.size for leaf in leaves)])
    numbers = [
        np.arange(start, start + leaf.size, dtype=np.int32).reshape(1, *leaf.shape)
        for start, leaf in zip(bounds, leaves)
    ]

    def unflatten(values: Array) -> Any:
        parts = [values[n.ravel()].reshape(n.shape[1:]) for n in numbers]
        return _tree.cast_like(treedef.unflatten(parts), rows)

    return treedef.unflatten(numbers), int(bounds[-1]), unflatten
