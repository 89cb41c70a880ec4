"""How a soft decision tree learns."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float

from .. import _regression, _tree
from .._types import PRNGKey

EDGE = 1e-3
"""Nearer to 0 or 1 than this, a mean probability pulls no harder."""


class Options(NamedTuple):
    depth: int
    squared: bool
    steps: int
    learning_rate: float
    batch_size: int
    balance: float


class Nodes(NamedTuple):
    """What is learned: filters, biases, and values of the leaves."""

    weights: Float[Array, "nodes d"]
    bias: Float[Array, " nodes"]
    value: Float[Array, "leaves k"]


class Reached(NamedTuple):
    """Running means: how much reaches a node, and how much of it goes right."""

    all: Float[Array, " nodes"]
    right: Float[Array, " nodes"]


def paths(logits: Float[Array, "n nodes"]) -> tuple[Array, Array]:
    """The probability of reaching each node, and each leaf."""
    nodes, leaves = [], jnp.ones((len(logits), 1), logits.dtype)
    while leaves.shape[1] <= logits.shape[1]:
        width = leaves.shape[1]
        nodes.append(leaves)
        level = logits[:, width - 1 : 2 * width - 1]
        # Not 1 less the other: that loses all digits of a small one.
        split = jnp.stack([jax.nn.sigmoid(-level), jax.nn.sigmoid(level)], 2)
        leaves = (leaves[..., None] * split).reshape(len(logits), -1)
    return jnp.concatenate(nodes, 1), leaves


def grow(
    z: Float[Array, "n d"],
    targets: Float[Array, "n k"],
    weights: Float[Array, " n"],
    key: PRNGKey,
    options: Options,
) -> Nodes:
    """The nodes after all steps of Adam."""
    import optax

    d, dtype, num_nodes = z.shape[1], z.dtype, 2**options.depth - 1
    start_key, batch_key = jr.split(key)
    first = Nodes(
        jr.normal(start_key, (num_nodes, d), dtype) / d**0.5,
        jnp.zeros(num_nodes, dtype),
        jnp.zeros((num_nodes + 1, targets.shape[1]), dtype),
    )
    y = _in_one_unit(targets, weights) if options.squared else targets
    adam = optax.scale_by_adam()
    ends = jnp.cumsum(weights)

    def step(state: tuple, i: Array) -> tuple[tuple, None]:
        nodes, memory, reached = state
        u = jr.uniform(jr.fold_in(batch_key, i), (options.batch_size,), dtype)
        # The first row whose end lies above, so never one of weight 0.
        rows = jnp.searchsorted(ends, u * ends[-1], side="right")
        rows = jnp.minimum(rows, len(z) - 1)
        slope, reached = jax.grad(_objective, has_aux=True)(
            nodes, z[rows], y[rows], reached, options
        )
        # It multiplies numbers by its counter, which strict users do not allow.
        with jax.numpy_dtype_promotion("standard"):
            change, memory = adam.update(slope, memory)
        rate = jnp.asarray(i, dtype) * (np.pi / options.steps)
        rate = options.learning_rate * (1 + jnp.cos(rate)) / 2
        nodes = jax.tree.map(lambda a, b: a - rate * b, nodes, change)
        return (nodes, memory, reached), None

    nothing = jnp.zeros(num_nodes, dtype)
    state = first, adam.init(first), Reached(nothing, nothing)
    return jax.lax.scan(step, state, jnp.arange(options.steps))[0][0]


def _objective(
    nodes: Nodes, z: Array, y: Array, reached: Reached, options: Options
) -> tuple[Array, Reached]:
    """The misfit of every leaf by its probability, and the cost of unused branches."""
    logits = _regression.dot(z, nodes.weights.T) + nodes.bias[None]
    at_node, at_leaf = paths(logits)
    if options.squared:
        apart = y[:, None] - nodes.value[None]
        misfits = jnp.sum(apart**2, 2)
    else:
        misfits = -_regression.dot(y, jax.nn.log_softmax(nodes.value).T)
    now = Reached(at_node.mean(0), (at_node * jax.nn.sigmoid(logits)).mean(0))
    depths = np.floor(np.log2(np.arange(len(nodes.bias)) + 1))
    share = jnp.asarray(2.0**-depths, logits.dtype)  # of a node of its level
    # The deeper a node, the fewer rows of a batch reach it, and the longer the window.
    recent = jax.tree.map(
        lambda old, new: jax.lax.stop_gradient((1 - share) * old + share * new),
        reached,
        now,
    )
    alpha = jnp.clip(_ratio(recent.right, recent.all), EDGE, 1 - EDGE)
    pull = -options.balance * share * (1 / alpha - 1 / (1 - alpha)) / 2
    # The slope of the cost at the running mean, times what this batch can change.
    balance = jnp.sum(pull * _ratio(now.right, now.all))
    return jnp.sum(at_leaf * misfits, 1).mean() + balance, recent


def leaf_means(
    nodes: Nodes,
    z: Float[Array, "n d"],
    values: Float[Array, "n k"],
    weights: Float[Array, " n"],
    chunk_size: int | None,
) -> Float[Array, "leaves k"]:
    """The best value of each leaf: the mean of the rows by their probability of it."""

    def part(i: Array, valid: Array) -> tuple:
        logits = _regression.dot(z[i], nodes.weights.T) + nodes.bias[None]
        weight = (weights[i] * valid.astype(z.dtype))[:, None]
        by_leaf = (paths(logits)[1] * weight).T
        return (by_leaf.sum(1), _regression.dot(by_leaf, values[i])), ()

    (mass, sums), _ = _tree.loop(part, len(z), chunk_size)
    mean = _regression.dot(weights, values) / weights.sum()
    return jnp.where(mass[:, None] > 0, _ratio(sums, mass[:, None]), mean[None])


def _in_one_unit(
    values: Float[Array, "n k"], weights: Float[Array, " n"]
) -> Float[Array, "n k"]:
    """Outputs of mean 0, and of variance 1 together."""
    _, values = _regression.in_own_unit(values)
    share = weights / weights.sum()
    apart = values - _regression.dot(share, values)[None]
    apart = jnp.where(weights[:, None] > 0, apart, 0)
    variance = _regression.dot(share, apart**2).sum()
    rounding = (8 * jnp.finfo(values.dtype).eps * jnp.abs(values).max()) ** 2
    varies = variance > rounding
    return jnp.where(varies, apart / jnp.sqrt(jnp.where(varies, variance, 1)), 0)


def _ratio(a: Any, b: Any) -> Array:
    """`a / b`, and 0 where there is nothing to divide."""
    b = jnp.broadcast_to(b, a.shape)
    return jnp.where(b > 0, a / jnp.where(b > 0, b, 1), 0)
