"""What every explainer owes JAX: compiled, in chunks, traced once, of any `f`."""

import jax
import numpy as np
import pytest
from explainers import (
    CASES,
    KEY,
    VARIANTS,
    examples,
    explain,
    explain_of,
    f,
    having,
    in_one_or_several_chunks,
    quick_jit,
)
from helpers import assert_close

from jaxplain import testing


def own(case):
    """The call that `explain` makes, for `jaxplain.testing`."""
    x = examples()[0]
    return {"f": f, "x": x, "args": (2.0, 1), **case.given(x)}


def own_of_numpy(case):
    """The same in NumPy's arrays, which stay as they are unless they are traced."""
    to_numpy = lambda leaf: leaf if leaf is KEY else np.array(leaf)
    return {
        name: f if value is f else jax.tree.map(to_numpy, value)
        for name, value in own(case).items()
    }


# Operation by operation, what draws is slow to dispatch, and every operation compiles.
@having(lambda case: not case.random and "stack" not in case.needs)
def test_neither_jit_nor_numpy_changes_anything(case):
    testing.check_jit(explain_of(case), **own_of_numpy(case))


@pytest.mark.slow
@having(lambda case: case.random or "stack" in case.needs)
def test_neither_jit_nor_numpy_changes_an_average(case):
    testing.check_jit(explain_of(case), **own_of_numpy(case))


def by_name(name):
    return [case for case in CASES + VARIANTS if case.name == name]


def short_chunk(n):
    """A size that leaves a last chunk short: chunks are made equal first."""
    return next(size for size in range(2, n) if n % -(-n // size))


CHUNKED = having(lambda case: case.samples, [*CASES, *by_name("surrogate")])


@CHUNKED
def test_the_size_of_a_chunk_changes_nothing(case):
    sizes = [short_chunk(case.samples)]
    testing.check_chunks(explain_of(case), chunk_sizes=sizes, **own(case))


@pytest.mark.slow
@CHUNKED
def test_chunks_of_one_and_of_equal_size_change_nothing(case):
    n = case.samples
    even = [size for size in range(2, n) if n % size == 0][-1:]
    testing.check_chunks(explain_of(case), chunk_sizes=[1, *even], **own(case))


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
    make = lambda f: case.make(f, **options)
    testing.check_traced_once(make, traces=case.traces, **own(case))


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
