"""A plain decision tree, grown by scikit-learn."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, Int, PyTree

from .. import _checks, _tree
from . import _table
from ._fidelity import vector

DEEPEST = 16
"""All nodes of a level are stored, and nobody reads a deeper tree."""


class Tree(NamedTuple):
    """A decision tree, `model(x)`: the value of the leaf that `x` falls into.

    Node `i` sends `x` to node `2 * i + 1` if its entry is at most the threshold, and to
    `2 * i + 2` if not. All trees of a depth have the same shapes, and can be stacked.

    Attributes:
        feature: Entry of the flattened `x` that each node compares; -1 where a node
            does not split, and sends all to the first.
        threshold: What it is compared with.
        value: Value of each leaf, in the units of `f`.
        rows: How many rows fell into each leaf.
    """

    feature: Int[Array, " nodes"]
    threshold: Float[Array, " nodes"]
    value: Float[Array, "leaves ..."]
    rows: Int[Array, " leaves"]

    def __call__(self, x: PyTree) -> Array:
        """The value of the model; NaN if an entry that is compared is NaN."""
        leaves = [jnp.asarray(leaf) for leaf in jax.tree.leaves(x)]
        wide = self.threshold.dtype
        row = jnp.concatenate([leaf.astype(wide).ravel() for leaf in leaves])
        node, missing = jnp.zeros((), jnp.int32), jnp.zeros((), bool)
        for _ in range(depth_of(self)):
            feature = self.feature[node]
            entry = row[jnp.maximum(feature, 0)]
            right = (feature >= 0) & (entry > self.threshold[node])
            missing |= (feature >= 0) & jnp.isnan(entry)
            node = 2 * node + 1 + right.astype(jnp.int32)
        return jnp.where(missing, jnp.nan, self.value[node - len(self.feature)])


def depth_of(model: Any) -> int:
    """The depth of a tree, plain or soft, from the number of its leaves."""
    return len(model.value).bit_length() - 1


def tree(
    f: Callable[..., Any],
    *,
    depth: int = 3,
    min_rows: int = 1,
    chunk_size: int | None = None,
) -> Callable[..., Tree]:
    r"""The decision tree that imitates `f` on a stack of examples.

    $$\min \; \sum_i w_i \left\|f(x_i) - v_{\ell(x_i)}\right\|^2$$

    over one split after another, where $\ell(x)$ is the leaf of $x$ and $v_\ell$ the
    mean of `f` over the rows of leaf $\ell$. `f` may return a vector, such as the
    probabilities of classes; one tree then serves all of them. The splits depend on the
    order of each column and not on its units. Rows that are not finite are left out.

    Grown on the host by scikit-learn, `pip install 'jaxplain[trees]'`, and used
    anywhere: the tree that comes back is made of arrays, and can be called under
    `jax.jit`. Read it with `tree_rules`.

    Args:
        f: Function to stand in for: `f(x, *args)` returns a scalar or a vector.
        depth: Number of questions from the root to a leaf, at most.
        min_rows: Number of rows in a leaf, at least.
        chunk_size: Number of rows evaluated at once; all of them by default.

    Returns:
        `fit(xs, *args, weights=None)`, which returns a `Tree`, itself a function of one
        example. See `linear` for `xs` and `weights`. Costs one evaluation of `f` per
        row.

    Raises:
        ImportError: If scikit-learn is not installed.
        ValueError: If an option is out of range, `f` returns more than a vector, `xs`
            is traced or no stack, or no row is finite.
        TypeError: If `xs` or what `f` returns is not floating-point.

    Example:
        >>> from jaxplain.distill import tree_rules
        >>> xs = jnp.arange(20.0)[:, None]
        >>> model = tree(lambda x: jnp.sign(x[0] - 14.2), depth=1)(xs)
        >>> print(tree_rules(model, ["heat"]))
        if heat <= 14.5: -1 (75 % of rows)
        if heat > 14.5: 1 (25 % of rows)

    References:
        Breiman, Friedman, Olshen and Stone (1984), *Classification and Regression
        Trees*, chapter 8.
        Craven and Shavlik (1996), *Extracting Tree-Structured Representations of
        Trained Networks*, for trees that imitate networks.
    """
    if _checks.count("depth", depth) > DEEPEST:
        raise ValueError(
            f"`depth` must be at most {DEEPEST}, but is {depth}. A tree that a reader "
            "can follow has 3 or 4 levels."
        )
    _checks.count("min_rows", min_rows)
    _checks.chunk_size(chunk_size)
    checked = vector("f", f)

    def fit(xs: Any, /, *args: Any, weights: ArrayLike | None = None) -> Tree:
        grower = _scikit_learn()
        examples, number = _table.stacked(xs)
        values = _table.evaluate(checked, examples, args, number, chunk_size)
        dtype = _tree.widest((examples, values))
        w = _table.row_weights(weights, number, dtype)
        rows = _table.flat(examples, number)
        if any(map(_checks.is_traced, (values, w, rows))):
            raise ValueError(
                "`xs` must be concrete, but it or what `f` makes of it is traced: a "
                "plain tree is grown on the host. Grow it outside of `jax.jit` and "
                "`jax.vmap`, or take `distill.soft_tree`."
            )
        return _grow(
            grower(max_depth=depth, min_samples_leaf=min_rows, random_state=0),
            np.asarray(rows),
            np.asarray(values, np.float64),
            np.asarray(w, np.float64),
            depth,
            np.dtype(dtype),
        )

    return fit


def _scikit_learn() -> Any:
    try:
        from sklearn.tree import DecisionTreeRegressor
    except ImportError:
        raise ImportError(
            "`distill.tree` needs scikit-learn, which is not installed. Install it "
            "with `pip install 'jaxplain[trees]'`, or take `distill.soft_tree`."
        ) from None
    return DecisionTreeRegressor


def _grow(
    grower: Any,
    rows: np.ndarray,
    values: np.ndarray,
    weights: np.ndarray,
    depth: int,
    dtype: np.dtype,
) -> Tree:
    outputs = values.reshape(len(rows), -1)
    kept = np.isfinite(outputs).all(1) & np.isfinite(rows).all(1) & (weights > 0)
    if not kept.any():
        raise ValueError(
            f"`f` and `xs` must be finite on some rows, but are on none of {len(rows)}."
            " Look at what `f` returns for the first of them."
        )
    rows, outputs, weights = rows[kept], outputs[kept], weights[kept]
    # scikit-learn compares in float32, where close values of float64 are equal. Their
    # ranks are whole numbers, and make the splits those of any unit.
    levels, ranks = zip(*(np.unique(c, return_inverse=True) for c in rows.T))
    # It also takes a small variance for none.
    centre, unit = outputs.mean(0), outputs.std() or 1.0
    grower.fit(
        np.stack(ranks, 1).astype(np.float32),
        (outputs - centre) / unit,
        sample_weight=weights,
    )
    grown = grower.tree_
    nodes = 2**depth - 1
    feature, threshold = np.full(nodes, -1, np.int32), np.zeros(nodes, dtype)
    value, count = (
        np.zeros((nodes + 1, outputs.shape[1])),
        np.zeros(nodes + 1, np.int32),
    )

    def place(source: int, node: int) -> None:
        """A node of scikit-learn at its place in the heap."""
        if node >= nodes:
            value[node - nodes] = centre + unit * grown.value[source, :, 0]
            count[node - nodes] = grown.n_node_samples[source]
            return
        left, right = grown.children_left[source], grown.children_right[source]
        if left < 0:
            place(source, 2 * node + 1)
            return
        column = grown.feature[source]
        below = levels[column][int(grown.threshold[source]) :][:2]
        feature[node], threshold[node] = column, _between(*below)
        place(left, 2 * node + 1)
        place(right, 2 * node + 2)

    place(0, 0)
    return Tree(
        jnp.asarray(feature),
        jnp.asarray(threshold),
        jnp.asarray(value.reshape(-1, *values.shape[1:]).astype(dtype)),
        jnp.asarray(count),
    )


def _between(low: Any, high: Any) -> Any:
    """A threshold that parts two numbers, halfway if there is anything between."""
    middle = low / 2 + high / 2
    return middle if low <= middle < high else low
