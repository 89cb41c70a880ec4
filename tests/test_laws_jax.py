"""What every explainer owes JAX: compiled, in chunks, traced once, of any `f`."""

import jax
from explainers import (
    CASES,
    VARIANTS,
    examples,
    explain,
    f,
    having,
    in_one_or_several_chunks,
    quick_jit,
)
from helpers import assert_close


@having(lambda case: not case.random)  # those are slow to dispatch op by op
def test_jit_changes_nothing(case):
    x = examples()[0]
    assert_close(explain(case, x), case.make(f)(x, 2.0, 1, **case.given(x)))


def by_name(name):
    return [case for case in CASES + VARIANTS if case.name == name]


def chunk_sizes(n):
    """One sample, a divisor if there is one, and a size that leaves a last chunk short.

    Chunks are made equal first, so not every size that divides nothing leaves one.
    """
    even = [size for size in range(2, n) if n % size == 0]
    number = lambda size: -(-n // size)
    short = [size for size in range(2, n) if n % number(size)]
    return [1, *even[-1:], short[0]]


@having(lambda case: case.samples, [*CASES, *by_name("surrogate")])
def test_the_size_of_a_chunk_changes_nothing(case):
    x = examples()[0]
    given = case.given(x)

    @quick_jit
    def by_chunks(x):
        sizes = chunk_sizes(case.samples)
        return [case.make(f, chunk_size=size)(x, 2.0, 1, **given) for size in sizes]

    for out in by_chunks(x):
        assert_close(out, explain(case, x))


@having(lambda case: case.samples)
def test_chunks_are_loops_and_a_chunk_that_holds_them_all_is_none(case):
    x = examples()[0]

    def program(**options):
        traced = jax.jit(case.make(f, **options)).trace(x, 2.0, 1, **case.given(x))
        return str(traced.jaxpr)

    whole = program()
    assert program(chunk_size=case.samples) == whole
    assert program(chunk_size=case.samples + 3) == whole
    assert program(chunk_size=case.samples - 1) != whole


@in_one_or_several_chunks(CASES + VARIANTS)
def test_f_is_traced_once(case, options):
    traces = []

    def counted(*args):
        traces.append(args)
        return f(*args)

    x, other = examples(2)
    explain = jax.jit(case.make(counted, **options))
    explain.trace(x, 2.0, 1, **case.given(x))
    assert len(traces) == case.traces
    explain.trace(other, 3.0, 0, **case.given(other))
    assert len(traces) == case.traces


@having(lambda case: "key" not in case.needs)
def test_a_rematerialised_f_is_explained_like_f(case):
    x = examples()[0]
    out = quick_jit(case.make(jax.checkpoint(f)))(x, 2.0, 1, **case.given(x))
    assert_close(out, explain(case, x))


@having(lambda case: "key" not in case.needs)
def test_a_compiled_f_is_explained_like_f(case):
    x = examples()[0]
    out = quick_jit(case.make(jax.jit(f)))(x, 2.0, 1, **case.given(x))
    assert_close(out, explain(case, x))
