"""A soft decision tree: every split is a logistic model, and every leaf a value."""

from collections.abc import Callable
from typing import Any, Generic, Literal, NamedTuple, TypeAlias, get_args

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .. import _checks, _regression, _tree
from .._types import REQUIRED, PRNGKey, X
from . import _grow_soft, _table
from ._fidelity import vector

Loss: TypeAlias = Literal["squared", "cross_entropy"]

DEEPEST = 12
"""All leaves are evaluated for every example."""


class SoftTree(NamedTuple, Generic[X]):
    """A soft decision tree, `model(x)`: the mean of its leaves by their probabilities.

    Node `i` sends `x` to node `2 * i + 2` with the probability
    `sigmoid(bias[i] + sum(weights[i] * x))`, and else to node `2 * i + 1`.

    Attributes:
        weights: Filter of each node, shaped like a stack of examples.
        bias: Bias of each node.
        value: Value of each leaf, in the units of `f`.
    """

    weights: X
    bias: Float[Array, " nodes"]
    value: Float[Array, "leaves ..."]

    def __call__(self, x: X) -> Array:
        """The value of the model."""
        return _regression.dot(path_probabilities(self, x), self.value)


def path_probabilities(model: SoftTree[X], x: X, /) -> Float[Array, " leaves"]:
    """The probability of each leaf of a soft tree for one example.

    They sum to 1. The leaf with the highest is the one whose path explains the answer.

    Args:
        model: Soft tree.
        x: Example.

    Returns:
        One probability per leaf, from left to right.

    Example:
        >>> leaves = jnp.array([5.0, 9.0])
        >>> model = SoftTree(jnp.array([[1.0]]), jnp.array([0.0]), leaves)
        >>> path_probabilities(model, jnp.array([2.0])).round(2)
        Array([0.12, 0.88], dtype=float32)
    """
    dtype, nodes = model.bias.dtype, len(model.bias)

    def term(filters: Any, leaf: Any) -> Array:
        filters, leaf = (jnp.asarray(a).astype(dtype) for a in (filters, leaf))
        return _regression.dot(filters.reshape(nodes, -1), leaf.ravel())

    terms = jax.tree.leaves(jax.tree.map(term, model.weights, x))
    logits = sum(terms, model.bias)
    return _grow_soft.paths(logits[None])[1][0]


def soft_tree(
    f: Callable[..., Any],
    *,
    depth: int = 4,
    loss: Loss = "squared",
    steps: int = 1000,
    learning_rate: float = 0.02,
    batch_size: int = 128,
    balance: float = 0.1,
    chunk_size: int | None = None,
) -> Callable[..., SoftTree[Any]]:
    r"""A soft decision tree that imitates `f` on a stack of examples.

    $$\min \; \sum_i \sum_\ell P_\ell(x_i) \, L(f(x_i), v_\ell)
    - \lambda \sum_k 2^{-d_k} \left(\tfrac12 \log \alpha_k
    + \tfrac12 \log(1 - \alpha_k)\right)$$

    $P_\ell(x)$ is the product of the probabilities on the way to leaf $\ell$, each the
    sigmoid of a linear function of $x$. The second sum asks each node $k$, at depth
    $d_k$, to use both of its branches: $\alpha_k$ is the mean probability of the right
    one, over what reaches the node, as a running mean over about $2^{d_k}$ batches.

    Trained by Adam with a cosine decay, in one program: it can be mapped over keys, and
    over neighbourhoods of many examples. Values of the leaves are solved for at the
    end, so that the mean of the model over the rows is that of `f`. Each column is
    brought to variance 1 first, and `f` too, so that nothing depends on their units.
    Rows that are not finite are left out. Where training ends depends on the key.

    Args:
        f: Function to stand in for: `f(x, *args)` returns a scalar or a vector.
        depth: Number of levels of nodes; there are `2 ** depth` leaves.
        loss: `"squared"`, or `"cross_entropy"` for an `f` that returns the
            probabilities of classes, as in the paper.
        steps: Number of batches.
        learning_rate: Step size of Adam, at the beginning.
        batch_size: Number of rows in a batch, drawn with replacement by their weights.
        balance: Weight $\lambda$ of the second sum.
        chunk_size: Number of rows evaluated at once; all of them by default.

    Returns:
        `fit(xs, *args, key, weights=None)`, which returns a `SoftTree`, itself a
        function of one example that `jax.jit` and explainers take. See `linear` for
        `xs` and `weights`. Costs one evaluation of `f` per row, and then
        `steps * batch_size * 2 ** depth` products with a filter.

    Raises:
        ValueError: If an option is out of range, `f` returns more than a vector, or
            a scalar with `loss="cross_entropy"`, or `xs` is no stack.
        TypeError: If `xs` or what `f` returns is not floating-point, or `key` is
            missing.

    Example:
        >>> xs = jax.random.normal(jax.random.key(0), (200, 2))
        >>> fit = soft_tree(lambda x: jnp.sign(x[0]), depth=1, steps=200)
        >>> model = fit(xs, key=jax.random.key(1))
        >>> model(jnp.array([2.0, 0.0])).round(1)
        Array(1., dtype=float32)

    References:
        Frosst and Hinton (2017), *Distilling a Neural Network Into a Soft Decision
        Tree*, arXiv:1711.09784, equations 1 to 5.
    """
    if _checks.count("depth", depth) > DEEPEST:
        raise ValueError(
            f"`depth` must be at most {DEEPEST}, but is {depth}: every example "
            "evaluates every leaf. A tree that a reader can follow has 3 or 4 levels."
        )
    _checks.choice("loss", loss, get_args(Loss))
    _checks.count("steps", steps)
    _checks.positive("learning_rate", learning_rate)
    _checks.count("batch_size", batch_size)
    _checks.positive("balance", balance, zero=True)
    _checks.chunk_size(chunk_size)
    checked = vector("f", f)

    def fit(
        xs: Any,
        /,
        *args: Any,
        key: PRNGKey = REQUIRED,
        weights: ArrayLike | None = None,
    ) -> SoftTree[Any]:
        _checks.key(key, "soft_tree")
        examples, number = _table.stacked(xs)
        values = _table.evaluate(checked, examples, args, number, chunk_size)
        if loss == "cross_entropy" and values.ndim < 2:
            raise ValueError(
                "`f` must return the probabilities of all classes for "
                "loss='cross_entropy', but returned a scalar. Return both, for example "
                "`jnp.stack([1 - p, p])`, or take loss='squared'."
            )
        dtype = _tree.widest((examples, values))
        w = _table.row_weights(weights, number, dtype)
        outputs = values.reshape(number, -1).astype(dtype)
        t = _table.table(examples, jnp.isfinite(outputs).all(1), w)
        outputs = jnp.where((t.weights > 0)[:, None], outputs, 0)
        options = _grow_soft.Options(
            depth, loss == "squared", steps, learning_rate, batch_size, balance
        )
        nodes = _grow_soft.grow(t.z, outputs, t.weights, key, options)
        value = _grow_soft.leaf_means(nodes, t.z, outputs, t.weights, chunk_size)
        # What never varied must not count where it does.
        slopes = jnp.where(t.varies[None], nodes.weights / t.scale[None], 0)
        return SoftTree(
            _table.like(slopes, examples),
            nodes.bias - _regression.dot(slopes, t.mean),
            value.reshape(-1, *values.shape[1:]),
        )

    return fit
