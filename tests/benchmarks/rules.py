"""What rules cost beside one gradient, on a residual network of convolutions.

    python -m tests.benchmarks.rules

Operations are counted by XLA after compilation, so they do not depend on the machine;
times do, and only their ratio is to be quoted.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

import jaxplain as jx

from .measure import beside

rules = jx.rules


class ResNet(nn.Module):
    """Residual blocks with batch norms, as in He et al. (2015), and a linear score."""

    widths: tuple[int, ...] = (16, 16, 32, 32)

    @nn.compact
    def __call__(self, image):
        conv = partial(nn.Conv, kernel_size=(3, 3), use_bias=False)
        norm = partial(nn.BatchNorm, use_running_average=True)
        x = nn.relu(norm()(conv(self.widths[0])(image)))
        for width in self.widths:
            stride = 1 if width == x.shape[-1] else 2
            y = nn.relu(norm()(conv(width, strides=stride)(x)))
            y = norm()(conv(width)(y))
            if stride == 2:
                x = norm()(conv(width, kernel_size=(1, 1), strides=stride)(x))
            x = nn.relu(x + y)
        return nn.Dense(10)(x.mean((0, 1)))


def score(image, variables):
    return ResNet().apply(variables, image)[3]


def subject(size: int = 32) -> tuple[jax.Array, Any]:
    """An image and random variables, which are arguments: not constants to fold."""
    image = jax.random.normal(jax.random.key(0), (size, size, 3), jnp.float32)
    return image, ResNet().init(jax.random.key(1), image)


def methods() -> dict[str, Callable[..., Any]]:
    lift = rules.deep_lift(score)
    return {
        "guided": jx.saliency(rules.guided(score)),
        "deconvolution": jx.saliency(rules.deconvolution(score)),
        "LRP-epsilon": rules.lrp(score),
        "LRP-gamma": rules.lrp(score, rules.gamma()),
        "LRP-z+": rules.lrp(score, rules.zplus()),
        "LRP-alphabeta": rules.lrp(score, rules.alphabeta()),
        # The image is an argument twice, so that its baseline is not constant either.
        "DeepLIFT": lambda image, variables: lift(
            image, variables, baseline=image[::-1]
        ),
    }


def operations(fn: Callable[..., Any], *args: Any) -> float:
    """Floating-point operations of the compiled program, as XLA counts them."""
    cost = jax.jit(fn).lower(*args).compile().cost_analysis()
    return cost["flops"]


def rows(size: int = 32) -> Iterator[dict[str, Any]]:
    args = subject(size)
    gradient = jax.grad(score)
    floor = operations(gradient, *args)
    for name, explain in methods().items():
        again = lambda *args: gradient(*args)  # a new function is compiled anew
        cost, base = beside(explain, again, args, args)
        yield {
            "rule": name,
            "operations / gradient": round(operations(explain, *args) / floor, 2),
            "run / gradient": round(cost.run_s / base.run_s, 2),
            "compile / gradient": round(cost.compile_s / base.compile_s, 2),
            "memory / gradient": round(cost.memory / base.memory, 2),
        }


if __name__ == "__main__":
    for row in rows():
        print(row, flush=True)
