"""Rules cost about as much as gradients: operations as XLA counts them, not time."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest

import jaxplain as jx

rules = jx.rules


class Small(nn.Module):
    """Convolutions, norms, and a residual, wide enough for products to dominate."""

    @nn.compact
    def __call__(self, image):
        norm = lambda x: nn.BatchNorm(use_running_average=True)(x)
        x = nn.relu(norm(nn.Conv(8, (3, 3), use_bias=False)(image)))
        y = nn.relu(norm(nn.Conv(8, (3, 3), use_bias=False)(x)))
        x = nn.relu(x + norm(nn.Conv(8, (3, 3), use_bias=False)(y)))
        x = nn.relu(norm(nn.Conv(8, (3, 3), strides=2)(x)))
        return nn.Dense(4)(x.mean((0, 1)))


IMAGE = jax.ShapeDtypeStruct((12, 12, 8), jnp.float32)  # nothing is run


def score(image, variables):
    return Small().apply(variables, image)[1]


def operations(fn, variables):
    compiled = jax.jit(fn).lower(IMAGE, variables).compile()
    return compiled.cost_analysis()["flops"]


@pytest.fixture(scope="module")
def variables():
    return jax.eval_shape(Small().init, jax.random.key(0), IMAGE)


@pytest.fixture(scope="module")
def gradient(variables):
    return operations(jax.grad(score), variables)


def lifted(image, variables):
    explain = rules.deep_lift(score)
    return explain(image, variables, baseline=image[::-1] / 2)


BOUNDS = {
    "guided": (jax.grad(rules.guided(score)), 1.05),
    "deconvolution": (jax.grad(rules.deconvolution(score)), 1.05),
    "epsilon": (rules.lrp(score), 1.2),
    "gamma": (rules.lrp(score, rules.gamma()), 1.8),
    "zplus": (rules.lrp(score, rules.zplus()), 3.0),
    "deep_lift": (lifted, 1.8),
}


@pytest.mark.parametrize(("explain", "bound"), BOUNDS.values(), ids=BOUNDS)
def test_rules_cost_little_more_than_gradients(explain, bound, variables, gradient):
    assert operations(explain, variables) <= bound * gradient
