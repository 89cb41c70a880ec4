"""Compile a function, and time it beside its floor in the same run."""

import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax


class Cost(NamedTuple):
    """What a compiled function costs.

    Attributes:
        compile_s: Seconds to trace and compile.
        run_s: Median seconds of a run.
        memory: Bytes of temporary buffers at the peak, as XLA plans them.
    """

    compile_s: float
    run_s: float
    memory: int


def compiled(fn: Callable[..., Any], *args: Any) -> tuple[Any, float, int]:
    start = time.perf_counter()
    program = jax.jit(fn).lower(*args).compile()
    seconds = time.perf_counter() - start
    return program, seconds, program.memory_analysis().temp_size_in_bytes


def seconds(program: Any, *args: Any) -> float:
    start = time.perf_counter()
    jax.block_until_ready(program(*args))
    return time.perf_counter() - start


def beside(
    explain: Callable[..., Any],
    floor: Callable[..., Any],
    args: tuple,
    floor_args: tuple,
    *,
    repeats: int = 7,
) -> tuple[Cost, Cost]:
    """The costs of an explainer and of its floor, timed in turn.

    The machine's speed drifts, so runs alternate, and only their ratio is to be quoted.
    """
    a, a_compile, a_memory = compiled(explain, *args)
    b, b_compile, b_memory = compiled(floor, *floor_args)
    seconds(a, *args), seconds(b, *floor_args)
    pairs = [(seconds(a, *args), seconds(b, *floor_args)) for _ in range(repeats)]
    a_runs, b_runs = zip(*pairs, strict=True)
    return (
        Cost(a_compile, statistics.median(a_runs), a_memory),
        Cost(b_compile, statistics.median(b_runs), b_memory),
    )
