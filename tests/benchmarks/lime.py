"""LIME of every class of many images, beside the forward passes that it cannot avoid.

    python -m tests.benchmarks.lime [--images 32] [--samples 1000]

The floor is the bare model, on as many images in batches of the same size. All classes
share the coalitions, the evaluations and the algebra of matrices; the second row has a
key per image, so that each has a Gram matrix of its own.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

import jaxplain as jx

from .measure import beside
from .peers import CNN

NUM_CLASSES = 10
CHUNK = 50


def of_all_classes(model: CNN, num_samples: int, **options: Any) -> Callable[..., Any]:
    """Images, their keys and parameters to weights by image, class and patch."""
    groups, n = jx.groups.patches((32, 32), size=4)
    score = lambda x, params, label: model.apply(params, x)[label]
    explain = jx.lime(
        score, num_samples=num_samples, num_groups=n, chunk_size=CHUNK, **options
    )

    def of_image(x: jax.Array, key: jax.Array, params: Any) -> jax.Array:
        each = partial(explain, baseline=0.0, groups=groups, key=key)
        return jax.vmap(each, (None, None, 0))(x, params, jnp.arange(NUM_CLASSES))

    return of_image


def rows(num_images: int, num_samples: int, repeats: int) -> Iterator[dict[str, Any]]:
    model = CNN((16, 32, 32))
    images = jax.random.uniform(jax.random.key(0), (num_images, 32, 32, 3))
    params = model.init(jax.random.key(1), images[0])
    key = jax.random.key(2)
    keys = jax.random.split(key, num_images)
    batch = jnp.concatenate([images] * CHUNK)
    floor = jax.vmap(model.apply, (None, 0))
    of_image = of_all_classes(model, num_samples)
    few = of_all_classes(model, num_samples, num_features=8, selection="forward")
    for name, explain, given, mapped in (
        ("one key", of_image, key, (0, None, None)),
        ("a key per image", of_image, keys, (0, 0, None)),
        ("one key, forward selection of 8", few, key, (0, None, None)),
    ):
        cost, base = beside(
            jax.vmap(explain, mapped),
            lambda params, batch: floor(params, batch),
            (images, given, params),
            (params, batch),
            repeats=repeats,
        )
        batches = num_samples / CHUNK
        yield {
            "LIME of 10 classes": name,
            "run, s": round(cost.run_s, 2),
            "run / forward passes": round(cost.run_s / (base.run_s * batches), 2),
            "memory / one batch": round(cost.memory / base.memory, 2),
        }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.lime")
    parser.add_argument("--images", type=int, default=32)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    for row in rows(options.images, options.samples, options.repeats):
        print(json.dumps(row), flush=True)
    print(f"jax {jax.__version__}, {jax.devices()[0].device_kind}")


if __name__ == "__main__":
    main()
