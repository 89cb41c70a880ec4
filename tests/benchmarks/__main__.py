"""The cost of each explainer, against plain gradients or forward passes in one batch.

    python -m tests.benchmarks [--quick]

One row per explainer, model and size. The floor of an explainer that takes gradients
is `jax.vmap(jax.grad(f))` over a batch of `chunk` inputs; of one that takes values,
`jax.vmap(f)`. Its run time is multiplied by the number of batches; its compile time
and its memory are those of one batch.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

import jaxplain as jx
from experiments.pictures import model as photographs
from experiments.traffic import model as traffic

from . import rules
from .measure import beside

CHUNK = 16


class Subject(NamedTuple):
    """A demo model with an input and groups of its features."""

    name: str
    f: Callable[..., Any]
    x: jax.Array
    args: tuple
    groups: Any
    num_groups: int
    layer: str | None


def subjects() -> Iterator[Subject]:
    """The CNN and the LSTM of the demo, untrained: the cost is the same."""
    image = jax.random.uniform(jax.random.key(0), (photographs.SIZE, photographs.SIZE))
    groups, n = jx.groups.patches(image.shape, size=photographs.SIZE // 8)
    args = (photographs.initial(0), jnp.array(0))
    yield Subject("CNN", photographs.score, image, args, groups, n, "features")
    window = jax.random.normal(jax.random.key(0), (traffic.WINDOW, 14))
    lstm = traffic.LSTM(traffic.Training().num_units)
    params = lstm.init(jax.random.key(1), window[None])
    groups, n = jx.groups.windows(len(window), size=6)
    forecast = lambda window, params: lstm.apply(params, window[None])[0]
    yield Subject("LSTM", forecast, window, (params,), groups, n, None)


class Job(NamedTuple):
    """An explainer at work: how many evaluations, and of what."""

    name: str
    explain: Callable[..., Any]
    evaluations: int
    gradients: bool


def jobs(s: Subject, steps: list[int]) -> Iterator[Job]:
    baseline = {"baseline": 0.0}
    absent = baseline | {"groups": s.groups}
    key = {"key": jax.random.key(0)}
    for n in steps:
        for chunk in (CHUNK, None):
            ig = jx.integrated_gradients(s.f, steps=n, chunk_size=chunk)
            name = f"IG, {n} steps, " + (f"chunk {chunk}" if chunk else "at once")
            yield Job(name, partial(ig, **baseline), n, True)
    if s.layer is not None:
        yield Job("Grad-CAM", jx.grad_cam(s.f, at=s.layer), 1, True)
    sizes = {"num_groups": s.num_groups, "num_samples": 512, "chunk_size": CHUNK}
    for explainer in (jx.lime, jx.kernel_shap):
        explain = partial(explainer(s.f, **sizes), **absent, **key)
        yield Job(
            f"{explainer.__name__}, 512 samples, chunk {CHUNK}", explain, 512, False
        )


def row(s: Subject, job: Job) -> dict[str, Any]:
    """One line of the table."""
    batch = min(CHUNK, job.evaluations)
    plain = jax.grad(s.f) if job.gradients else s.f
    rest = (None,) * len(s.args)
    floor = jax.vmap(plain, in_axes=(0, *rest))
    stack = jnp.stack([s.x] * batch)
    cost, base = beside(job.explain, floor, (s.x, *s.args), (stack, *s.args))
    batches = job.evaluations / batch
    return {
        "model": s.name,
        "explainer": job.name,
        "run, ms": round(1e3 * cost.run_s, 2),
        "run / floor": round(cost.run_s / (base.run_s * batches), 2),
        "compile, s": round(cost.compile_s, 2),
        "compile / floor": round(cost.compile_s / base.compile_s, 2),
        "memory, MB": round(cost.memory / 1e6, 2),
        "memory / floor": round(cost.memory / base.memory, 2),
    }


def markdown(rows: list[dict[str, Any]]) -> str:
    head = "| " + " | ".join(rows[0]) + " |"
    rule = "|" + "---|" * len(rows[0])
    lines = ["| " + " | ".join(map(str, r.values())) + " |" for r in rows]
    return "\n".join([head, rule, *lines])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--quick", action="store_true", help="two numbers of steps")
    parser.add_argument("--out", type=Path, help="write the rows as JSON, too")
    options = parser.parse_args()
    steps = [16, 64] if options.quick else [16, 64, 256, 1024]
    rows = []
    for subject in subjects():
        for job in jobs(subject, steps):
            rows.append(row(subject, job))
            print(rows[-1], flush=True)
    device = jax.devices()[0]
    print(f"\njax {jax.__version__}, {device.platform} ({device.device_kind})\n")
    print(markdown(rows))
    print(f"\n{markdown(list(rules.rows()))}")
    if options.out:
        options.out.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
