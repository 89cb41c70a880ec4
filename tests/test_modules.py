"""Modules of Flax passed as `f`: pure functions, and the modules stay as they were."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cutting import names
from explainers import quick_jit
from flax import nnx
from helpers import assert_close

import jaxplain as jx
from jaxplain._modules import functional

X = jnp.asarray(np.sin(np.arange(3.0)), jnp.float32)


class Trained(nnx.Module):
    """A module in training mode: it draws random numbers and updates statistics."""

    def __init__(self):
        rngs = nnx.Rngs(0)
        self.linear = nnx.Linear(3, 8, rngs=rngs)
        self.norm = nnx.BatchNorm(8, rngs=rngs)
        self.dropout = nnx.Dropout(0.5, rngs=rngs)

    @nnx.remat
    def hidden(self, x):
        return self.dropout(self.norm(self.linear(jnp.stack([x, jnp.cos(x)]))))

    def __call__(self, x):
        return jnp.sum(jnp.sin(self.hidden(x)) * jnp.arange(8.0, dtype=x.dtype)[None])


def state(module):
    return jax.tree.map(
        np.asarray, nnx.to_pure_dict(nnx.state(module, nnx.Not(nnx.RngKey)))
    )


EXPLAINERS = {
    "saliency": jx.saliency,
    "occlusion": lambda f: functools.partial(jx.occlusion(f), baseline=0.0),
    "cut": lambda f: lambda x: jx.cut(f, x, at="linear")[0],
    "game": lambda f: lambda x: jx.game(f, x, baseline=0.0)(jnp.ones(3)),
}


@pytest.mark.parametrize("explain", EXPLAINERS.values(), ids=EXPLAINERS.keys())
def test_an_nnx_module_in_training_mode_is_explained_and_left_as_it_was(explain):
    model = Trained()
    before = state(model)
    definition, variables = nnx.split(model)
    merged = lambda x: nnx.merge(definition, variables, copy=True)(x)
    explained = quick_jit(explain(model))(X)
    assert_close(explained, quick_jit(explain(merged))(X))
    assert jnp.any(explained)
    assert jax.tree.all(jax.tree.map(np.array_equal, state(model), before))


def test_every_call_starts_from_the_state_that_the_module_had():
    model = Trained()
    pure = functional(model)
    first = pure(X)
    assert_close(pure(X), first)  # the same mask of dropout
    own = model(X)
    assert_close(own, first)
    assert model(X) != own  # the module itself goes on to another mask
    assert_close(pure(X), first)
    assert functional(model)(X) != first


@pytest.mark.parametrize(
    "wrap",
    [
        lambda m: m.hidden,
        lambda m: functools.partial(Trained.hidden.__wrapped__, m),
        lambda m: functools.partial(lambda model, x: model.hidden(x), m),
        lambda m: functools.partial(lambda x, model: model.hidden(x), model=m),
    ],
)
def test_methods_and_partials_of_an_nnx_module_are_functions_too(wrap):
    model = Trained()
    f = wrap(model)
    assert names(f, X) == ["linear", "norm", "dropout"]
    value = lambda x: functional(f)(x).sum()
    expected = lambda x: functional(model.hidden)(x).sum()
    assert_close(quick_jit(jax.grad(value))(X), quick_jit(jax.grad(expected))(X))


def test_two_modules_bound_to_one_function_keep_what_they_share():
    first = nnx.Linear(3, 3, rngs=nnx.Rngs(0))
    second = nnx.Linear(3, 3, rngs=nnx.Rngs(1))
    second.kernel = first.kernel

    def both(first, second, x):
        assert first.kernel is second.kernel
        return jnp.sum(first(x) * second(x))

    f = functools.partial(both, first, second)
    assert_close(jx.saliency(f)(X), jax.grad(lambda x: both(first, second, x))(X))
    assert names(f, X) == ["Linear"]


def test_an_nnx_module_made_in_a_trace_is_derived_by_its_parameters():
    definition, parameters = nnx.split(
        nnx.Linear(3, 1, use_bias=False, rngs=nnx.Rngs(0))
    )

    def loss(parameters):
        f = functools.partial(lambda m, x: m(x)[0], nnx.merge(definition, parameters))
        return jx.input_x_gradient(f)(X).sum()

    assert_close(jax.grad(loss)(parameters)["kernel"][...][:, 0], X)


class Linen(nn.Module):
    train: bool = False

    def setup(self):
        self.dense = nn.Dense(3)
        self.norm = nn.BatchNorm(use_running_average=not self.train)
        self.dropout = nn.Dropout(0.5, deterministic=not self.train)

    def __call__(self, x):
        return jnp.sum(self.hidden(x) ** 2)

    def hidden(self, x):
        return self.dropout(
            self.norm(jnp.stack([self.dense(x), jnp.sin(self.dense(x))]))
        )


@pytest.mark.slow
@pytest.mark.parametrize("train", [False, True])
def test_a_bound_linen_module_is_a_function(train):
    module = Linen(train=train)
    keys = {name: jax.random.key(i) for i, name in enumerate(("params", "dropout"))}
    variables = module.init(keys, X)
    options = {"rngs": {"dropout": keys["dropout"]}} if train else {}
    mutable = {"mutable": ["batch_stats"]} if train else {}
    bound = module.bind(variables, **options, **mutable)

    def f(x):
        out = module.apply(variables, x, **options, **mutable)
        return out[0] if train else out

    assert_close(jx.saliency(bound)(X), jax.grad(f)(X))
    assert names(bound, X) == names(f, X) == ["dense", "norm", "dropout"]
    assert names(bound.hidden, X) == ["dense", "norm", "dropout"]
    assert_close(jx.cut(bound, X, at="dense@1")[0], bound.dense(X))
    batch = jax.vmap(jx.saliency(functools.partial(bound)))
    assert_close(batch(X[None])[0], jax.grad(f)(X))
    assert_close(bound.variables, variables)


def test_a_submodule_of_a_bound_linen_module_is_a_function():
    bound = Linen().bind(Linen().init(jax.random.key(0), X))
    kernel = bound.variables["params"]["dense"]["kernel"]
    f = functools.partial(lambda pick, x: pick(x)[0], functional(bound.dense))
    assert_close(jx.saliency(f)(X), kernel[:, 0])


class Callable:
    def __call__(self, x):
        return x.sum()

    def method(self, x):
        return x.sum()


def test_any_other_function_comes_back_as_it_is():
    partial = functools.partial(jnp.sum, axis=0)
    instance = Callable()
    method = instance.method
    for f in (
        jnp.sum,
        lambda x: x,
        jax.jit(jnp.sum),
        partial,
        instance,
        method,
        Linen(),
    ):
        assert functional(f) is f


def test_an_explainer_has_the_name_of_the_module():
    assert functional(Trained()).__name__ == "Trained"
