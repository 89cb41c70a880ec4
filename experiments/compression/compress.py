"""One network, and all that is made of it: names to logits and sizes."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.common import Clock
from experiments.compression import model
from experiments.compression.data import NUM_CLASSES, Digits
from experiments.compression.model import STUDENT, TEACHER
from jaxplain import distill

TREE_DEPTH, TREE_STEPS = 5, 1500
RIDGE = 1.0


class Model(NamedTuple):
    """Logits of one picture by parameters, so that models of a kind share a program."""

    logits: Callable[[Any, Any], jax.Array]
    params: Any
    numbers: int


class Steps(NamedTuple):
    """How long each model trains, and how much is pruned."""

    teacher: int
    tuning: int
    student: int
    tree: int
    sparsities: tuple[float, ...]


def network(net: model.CNN, params: Any) -> Model:
    return Model(by_network[net], params, distill.size(params).numbers)


by_network = {
    net: lambda x, params, net=net: net.apply(params, x) for net in (TEACHER, STUDENT)
}


def by_tree(x: jax.Array, tree: Any) -> jax.Array:
    return jnp.log(tree(x) + jnp.finfo(x.dtype).tiny)


def by_lines(x: jax.Array, lines: Any) -> jax.Array:
    return jax.vmap(lambda line: line(x))(lines)


def everything(
    train: Digits, rng: np.random.Generator, seed: int, steps: Steps, clock: Clock
) -> dict[str, Model]:
    """The network first; then another seed, the compressed ones, and no training."""
    size = train.images.shape[1]
    fresh = lambda net, k: model.initial(net, 1000 * k + seed, size)
    clock.start("training two networks")
    teacher, other = (
        model.train(TEACHER, fresh(TEACHER, k), train, rng, steps.teacher)
        for k in (0, 1)
    )
    found = {"network": network(TEACHER, teacher)}
    found["another seed"] = network(TEACHER, other)

    clock.start("pruning, and a little more training")
    for sparsity in steps.sparsities:
        params, masks = distill.prune(teacher, sparsity=sparsity)
        params = model.train(TEACHER, params, train, rng, steps.tuning, masks=masks)
        found[f"pruned by {100 * sparsity:.0f} %"] = network(TEACHER, params)

    clock.start("distilling into a small network")
    logits = np.asarray(jax.jit(TEACHER.apply)(teacher, train.images))
    soft, start = (train.images, logits), fresh(STUDENT, 2)
    student = model.train(STUDENT, start, soft, rng, steps.student, model.soft_loss)
    found["small, distilled"] = network(STUDENT, student)
    alone = model.train(STUDENT, start, train, rng, steps.student)
    found["small, from labels"] = network(STUDENT, alone)

    clock.start("distilling into a soft tree and a linear model")
    found["soft tree"] = soft_tree(teacher, train.images, seed, steps.tree)
    found["linear"] = lines(teacher, train.images)
    found["untrained"] = network(TEACHER, fresh(TEACHER, 3))
    return found


def soft_tree(params: Any, images: np.ndarray, seed: int, steps: int) -> Model:
    """The probabilities of the network, by a soft tree."""
    probabilities = lambda x, params: jax.nn.softmax(TEACHER.apply(params, x))
    fit = distill.soft_tree(
        probabilities,
        depth=TREE_DEPTH,
        loss="cross_entropy",
        steps=steps,
        chunk_size=500,
    )
    tree = jax.jit(fit)(images, params, key=jax.random.key(seed))
    return Model(by_tree, tree, distill.size(tree).numbers)


def lines(params: Any, images: np.ndarray) -> Model:
    """The logits of the network, by a linear model each."""
    logit = lambda x, params, label: TEACHER.apply(params, x)[label]
    fit = distill.linear(logit, ridge=RIDGE, chunk_size=500)
    labels = jnp.arange(NUM_CLASSES)
    found = jax.jit(jax.vmap(fit, (None, None, 0)))(images, params, labels)
    return Model(by_lines, found, distill.size(found).numbers)
