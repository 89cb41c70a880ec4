"""Metrics of an attribution of `f`, once: one line here inherits the laws."""

import functools
from functools import partial
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from explainers import quick_jit

from jaxplain import metrics

SHAPE = (4, 3)  # of an input: 12 features, or a series with three channels


class Case(NamedTuple):
    """A metric, what its call needs, and whether only the order of features counts."""

    make: object
    needs: str = "baseline"
    order_only: bool = False

    def given(self, baseline, key):
        words = {"baseline": baseline, "key": key}
        return {word: words[word] for word in self.needs.split()}


infidelity = partial(metrics.infidelity, num_samples=5)

CASES = {
    "deletion": Case(partial(metrics.deletion, steps=5), order_only=True),
    "insertion": Case(partial(metrics.insertion, order="lowest"), order_only=True),
    "pixel_flipping": Case(metrics.pixel_flipping, order_only=True),
    "region_perturbation": Case(
        partial(metrics.region_perturbation, num_removed=4), order_only=True
    ),
    "comprehensiveness": Case(metrics.comprehensiveness, order_only=True),
    "sufficiency": Case(metrics.sufficiency, order_only=True),
    "road": Case(partial(metrics.road, fractions=(0.25, 0.5)), "key", True),
    "noise": Case(partial(infidelity, draw=metrics.gaussian(0.5)), "key"),
    "removal": Case(partial(infidelity, draw=metrics.to_baseline()), "baseline key"),
    "squares": Case(
        partial(infidelity, draw=metrics.squares(2), normalise=True), "baseline key"
    ),
    "faithfulness_correlation": Case(
        partial(metrics.faithfulness_correlation, subset_size=3, num_samples=5),
        "baseline key",
    ),
    "faithfulness_estimate": Case(metrics.faithfulness_estimate),
    "monotonicity": Case(metrics.monotonicity),
    "non_sensitivity": Case(metrics.non_sensitivity),
}


def f(x, a):
    """Neither additive nor monotone, and blind to where `a` is zero."""
    z = a * x
    return jnp.tanh(z.sum()) + (z[0] * z[1]).sum() + (z[2] ** 2).sum()


@functools.cache
def compiled(name):
    """The metric of `f`, compiled once for all tests: `run(x, a, phi, b, key)`."""
    case = CASES[name]
    measure = case.make(f)
    return quick_jit(
        lambda x, a, phi, b, key: measure(x, a, attribution=phi, **case.given(b, key))
    )


def drawn(seed, *shape):
    """An input, weights with a few zeros, an attribution and a baseline."""
    random = np.random.default_rng(seed)
    x, a, phi, b = random.normal(size=(4, *shape, *SHAPE))
    return x, np.where(np.abs(a) < 0.3, 0, a), phi, b
