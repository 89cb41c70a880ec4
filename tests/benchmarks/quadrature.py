"""The error of integrated gradients per gradient: fixed rules and the adaptive one.

    pip install scikit-learn
    python -m tests.benchmarks.quadrature

Three kinds of models, each trained from three seeds: a convolutional network of ReLUs
and a smooth one on the digits of scikit-learn, and a tanh LSTM on generated series. The
adaptive rule was designed on other networks: seeds, widths and series are new to it.
Errors are relative, in the Euclidean norm, against a rule of 4,096 gradients.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax

import jaxplain as jx
from jaxplain import _tree
from jaxplain._quadrature import nodes_and_weights

SEEDS = 3
EXAMPLES = 8
CHUNK = 64
RULES = ("riemann_left", "trapezoid", "riemann_middle", "gauss_legendre")


class CNN(nn.Module):
    """Four convolutions and a hidden layer."""

    activation: Callable[[jax.Array], jax.Array]

    @nn.compact
    def __call__(self, x):
        for i, width in enumerate((12, 12, 24, 24)):
            x = self.activation(nn.Conv(width, (3, 3))(x))
            if i % 2:
                x = nn.avg_pool(x, (2, 2), (2, 2))
        return nn.Dense(10)(self.activation(nn.Dense(48)(x.ravel())))


class LSTM(nn.Module):
    @nn.compact
    def __call__(self, x):
        return nn.Dense(3)(nn.RNN(nn.LSTMCell(24))(x)[-1])


class Task(NamedTuple):
    """A model and the data to train it on, and to explain it at."""

    model: nn.Module
    inputs: np.ndarray
    labels: np.ndarray
    steps: int


def digits(model: nn.Module) -> Task:
    from sklearn.datasets import load_digits

    data = load_digits()
    order = np.random.default_rng(0).permutation(len(data.target))
    images = (data.images[order, :, :, None] / 16).astype(np.float32)
    return Task(model, images, data.target[order], steps=400)


def series(num: int = 2500, length: int = 40) -> Task:
    """Two bumps in two channels, or one up and one down: their order is the class."""
    draw = np.random.default_rng(0)
    time, labels = np.arange(length), draw.integers(0, 3, num)
    first = draw.integers(5, length // 2 - 3, num)
    second = draw.integers(length // 2 + 3, length - 5, num)
    bump = lambda at: 2 * np.exp(-0.5 * ((time - at[:, None]) / 2) ** 2)
    x = 0.5 * draw.standard_normal((num, length, 4))
    early, late = bump(first), bump(second)
    for label, (a, b) in enumerate([(0, 1), (1, 0)]):
        rows = labels == label
        x[rows, :, a] += early[rows]
        x[rows, :, b] += late[rows]
    x[labels == 2, :, 2] += (early - late)[labels == 2]
    return Task(LSTM(), x.astype(np.float32), labels, steps=600)


TASKS = {
    "ReLU CNN": lambda: digits(CNN(nn.relu)),
    "SiLU CNN": lambda: digits(CNN(nn.silu)),
    "tanh LSTM": series,
}


def train(task: Task, seed: int) -> Any:
    inputs, labels = jnp.asarray(task.inputs[:-300]), jnp.asarray(task.labels[:-300])
    params = task.model.init(jr.key(seed), inputs[0])
    optimizer = optax.adam(optax.cosine_decay_schedule(4e-3, task.steps))

    def loss(params, rows):
        logits = jax.vmap(partial(task.model.apply, params))(inputs[rows])
        return optax.softmax_cross_entropy_with_integer_labels(
            logits, labels[rows]
        ).mean()

    # A loop in Python: on CPU, convolutions are slow inside of a compiled one.
    @jax.jit
    def step(state, key):
        params, moments = state
        slope = jax.grad(loss)(params, jr.randint(key, (64,), 0, len(labels)))
        updates, moments = optimizer.update(slope, moments, params)
        return optax.apply_updates(params, updates), moments

    state = params, optimizer.init(params)
    for key in jr.split(jr.key(100 + seed), task.steps):
        state = step(state, key)
    return state[0]


def targets(model: nn.Module) -> dict[str, Callable[..., jax.Array]]:
    logit = lambda x, params, label: model.apply(params, x)[label]
    probability = lambda x, params, label: jax.nn.softmax(model.apply(params, x))[label]
    return {"logit": logit, "probability": probability}


def reference(f: Callable[..., jax.Array]) -> Callable[..., jax.Array]:
    """512 panels of 8 Gauss-Legendre nodes."""
    nodes, weights = nodes_and_weights("gauss_legendre", 8)
    places = ((np.arange(512)[:, None] + nodes) / 512).ravel()
    shares = np.tile(weights / 512, 512)

    def explain(x, *args):
        gradient = lambda i: jax.grad(f)(jnp.asarray(places, x.dtype)[i] * x, *args)
        return x * _tree.mean_samples(gradient, len(places), CHUNK, shares)

    return explain


def estimators(f: Callable[..., jax.Array]) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Each returns an attribution, the gradients that it took, and its own error."""

    def fixed(rule: Any, steps: int) -> Callable[..., Any]:
        explain = jx.integrated_gradients(f, steps=steps, rule=rule)
        return lambda *args: (explain(*args, baseline=0.0), steps, jnp.nan)

    def adaptive(rtol: float) -> Callable[..., Any]:
        fit = jx.paths.adaptive_fit(f, rtol=rtol)

        def explain(*args):
            found = fit(*args, baseline=0.0)
            return found.attribution, found.gradients, found.error

        return explain

    for steps in (50, 128):
        for rule in RULES:
            yield f"{rule}, {steps}", fixed(rule, steps)
    for rtol in (1e-2, 3e-3):
        yield f"adaptive, rtol={rtol:g}", adaptive(rtol)


def explained(task: Task, seed: int) -> Iterator[tuple[Any, ...]]:
    """Held-out inputs with the model and its answer."""
    params = train(task, seed)
    for x in task.inputs[-EXAMPLES:]:
        yield x, params, task.model.apply(params, x).argmax()


def errors(f: Callable[..., jax.Array], cases: list[Any]) -> Iterator[tuple[str, Any]]:
    """Of each rule: relative error, gradients and estimate for every case."""
    explain = jax.jit(reference(f))
    exact = [np.ravel(explain(*case)) for case in cases]
    for name, make in estimators(f):
        explain = jax.jit(make)
        found = []
        for case, known in zip(cases, exact):
            attribution, gradients, estimate = explain(*case)
            error = np.linalg.norm(np.ravel(attribution) - known)
            found.append((error / np.linalg.norm(known), gradients, estimate))
        yield name, np.transpose(found)


def rows() -> Iterator[dict[str, Any]]:
    for kind, make in TASKS.items():
        task = make()
        cases = [case for seed in range(SEEDS) for case in explained(task, seed)]
        for target, f in targets(task.model).items():
            for name, (error, gradients, estimate) in errors(f, cases):
                yield {
                    "model": kind,
                    "target": target,
                    "rule": name,
                    "gradients": f"{gradients.mean():.0f}",
                    "median": f"{np.median(error):.1e}",
                    "p90": f"{np.quantile(error, 0.9):.1e}",
                    "max": f"{error.max():.1e}",
                    "max / estimate": f"{np.max(error / estimate):.2g}",
                }


if __name__ == "__main__":
    for row in rows():
        print(" | ".join(row.values()), flush=True)
