"""Programs that randomise a model, and how like themselves its maps stay."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from experiments.evidence.sanity.explain import NOISE, Explain
from experiments.evidence.sanity.model import NET
from jaxplain import metrics

Program = Callable[..., Any]

# Similarity, and its name in tables.
SIMILARITIES = {"rank": "rank", "rank_absolute": "|rank|", "ssim": "SSIM"}


class Programs(NamedTuple):
    """Of one explainer: `(images, labels, params, drawn) -> maps`, model by model.

    The maps are `(n, layers + 1, height, width)`: with no layer randomised, and so on.
    """

    tests: Program  # maps by the name of the test
    plain: Program  # `(images, labels, params) -> (n, height, width)`


def programs(explain: Explain, smoothed: int) -> Programs:
    """The randomisation tests of one explainer, not yet compiled."""

    def maps(x: Any, label: Any, params: Any, drawn: Any) -> dict[str, jax.Array]:
        # Drawn outside: XLA compiles a draw for longer than most explanations.
        options = {"similarity": _other, "randomise": lambda *_: drawn}
        one_by_one = metrics.parameter_randomisation
        of_means = metrics.smooth_parameter_randomisation
        found = {
            "cascading": one_by_one(explain, **options),
            "independent": one_by_one(explain, order="independent", **options),
            "smooth": of_means(explain, std=NOISE, num_samples=smoothed, **options),
        }
        key = jax.random.key(0)
        run = lambda measure: measure(params, x, label, key=key).similarity
        return {name: run(measure) for name, measure in found.items()}

    plain = lambda x, label, params: explain(params, x, label)
    return Programs(
        jax.jit(jax.vmap(maps, (0, 0, None, None))),
        jax.jit(jax.vmap(plain, (0, 0, None))),
    )


def _other(own: jax.Array, other: jax.Array) -> jax.Array:
    """No similarity, but the map itself: one program then compares them all."""
    del own
    return other


@jax.jit
def similarities(own: jax.Array, others: jax.Array) -> dict[str, jax.Array]:
    """Of each map with several others: `(n, h, w), (n, k, h, w) -> (n, k)`.

    SSIM is that of absolute maps, each divided by its maximum, as in the paper. NaN
    where a map is constant.
    """

    def one(own: jax.Array, other: jax.Array) -> dict[str, jax.Array]:
        sizes = jnp.abs(own), jnp.abs(other)
        return {
            "rank": metrics.rank_correlation(own, other),
            "rank_absolute": metrics.rank_correlation(own, other, absolute=True),
            "ssim": metrics.ssim(*sizes, normalise=True, data_range=1.0),
        }

    return jax.vmap(jax.vmap(one, (None, 0)))(own, others)


@jax.jit
def complexity_rise(maps: jax.Array) -> jax.Array:
    """Efficient MPRT, of the maps of a cascade: `(n, layers + 1, h, w) -> (n,)`.

    `metrics.efficient_parameter_randomisation`, without explaining once more.
    """
    entropy = jax.vmap(metrics.histogram_entropy)
    before, after = entropy(maps[:, 0]), entropy(maps[:, -1])
    return jnp.where(before > 0, (after - before) / before, jnp.nan)


@jax.jit
def outputs(images: Any, labels: Any, params: Any, drawn: Any) -> dict[str, jax.Array]:
    """What the model itself does in a cascade: `(n, layers + 1)` of each."""

    def compared(own: jax.Array, other: jax.Array) -> dict[str, jax.Array]:
        same = own.argmax() == other.argmax()
        return {"correlation": metrics.pearson(own, other), "same_class": same}

    measure = metrics.parameter_randomisation(
        NET.apply, similarity=compared, randomise=lambda *_: drawn
    )
    del labels
    run = lambda x: measure(params, x, key=jax.random.key(0)).similarity
    return jax.vmap(run)(images)


def layers(params: Any, image: np.ndarray) -> list[str]:
    """The layers, in the order in which they are randomised."""
    found = metrics.parameter_layers(NET.apply, params, image)
    return [name.removeprefix("params/").removesuffix("/conv") for name in found]
