"""What every explainer owes JAX: it is one more function to transform."""

import functools

import jax
import jax.numpy as jnp
import jax.random as jr
import pytest
from explainers import (
    CASES,
    VARIANTS,
    compiled,
    examples,
    explain,
    f,
    having,
    quick_jit,
)
from helpers import assert_close

every = having(lambda case: True)
every_variant = having(lambda case: True, CASES + VARIANTS)
keyed = having(lambda case: "key" in case.needs)

SCALES, LABELS = jnp.array([2.0, -1.0, 0.5, 3.0]), jnp.array([1, 0, 0, 1])


def row(tree, i):
    return jax.tree.map(lambda leaf: leaf[i], tree)


def stack(trees):
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)


@functools.cache
def batched(case):
    """A batch of inputs, scales and labels; what the explainer adds is shared."""

    def explain_batch(xs, scales, labels, given):
        return jax.vmap(functools.partial(case.make(f), **given))(xs, scales, labels)

    return quick_jit(explain_batch)


def explain_batch(case, xs, scales=SCALES, labels=LABELS):
    return batched(case)(xs, scales, labels, case.given(examples()[0]))


@having(lambda case: not case.random or case.noise)  # slow to dispatch, op by op
def test_jit_changes_nothing(case):
    x = examples()[0]
    assert_close(explain(case, x), case.make(f)(x, 2.0, 1, **case.given(x)))


@every
def test_vmap_over_every_argument_is_a_loop(case):
    xs = examples(2)
    given = stack([case.given(x, jr.key(i)) for i, x in enumerate(xs)])
    mapped = quick_jit(jax.vmap(case.make(f)))(xs, SCALES[:2], LABELS[:2], **given)
    looped = [
        compiled(case)(x, SCALES[i], LABELS[i], **row(given, i))
        for i, x in enumerate(xs)
    ]
    assert_close(mapped, stack(looped))


@having(lambda case: not case.random)
def test_vmap_over_labels_explains_every_score(case):
    x = examples()[0]
    given = case.given(x)
    of_label = lambda label: case.make(f)(x, 2.0, label, **given)
    mapped = quick_jit(jax.vmap(of_label))(jnp.arange(2))
    assert_close(mapped, stack([compiled(case)(x, 2.0, i, **given) for i in range(2)]))


@every
def test_the_place_in_a_batch_does_not_matter(case):
    xs, order = examples(4), jnp.array([2, 0, 3, 1])
    together = explain_batch(case, xs)
    shuffled = explain_batch(case, xs[order], SCALES[order], LABELS[order])
    assert_close(shuffled, row(together, order))
    given = case.given(examples()[0])
    alone = [compiled(case)(xs[i], SCALES[i], LABELS[i], **given) for i in range(4)]
    assert_close(together, stack(alone))


@every
def test_a_sharded_batch_is_explained_where_it_lies(case):
    mesh = jax.make_mesh((2,), ("batch",), axis_types=(jax.sharding.AxisType.Auto,))
    over_batch = jax.NamedSharding(mesh, jax.P("batch"))
    batch = jax.device_put((examples(4), SCALES, LABELS), over_batch)
    out = explain_batch(case, *batch)
    for leaf in jax.tree.leaves(out):
        same_for_all = bool((leaf == leaf[:1]).all())  # as the fractions of a curve
        assert same_for_all or leaf.sharding.is_equivalent_to(over_batch, leaf.ndim)
    assert_close(out, explain_batch(case, examples(4)))


@keyed
def test_a_key_for_each_shard_changes_nothing(case):
    mesh = jax.make_mesh((2,), ("batch",), axis_types=(jax.sharding.AxisType.Auto,))
    over_batch = jax.NamedSharding(mesh, jax.P("batch"))
    xs, keys = examples(2), jr.split(jr.key(0), 2)

    def explain_with_keys(xs, keys):
        one = lambda x, key: case.make(f)(x, 2.0, 1, **case.given(x) | {"key": key})
        return jax.vmap(one)(xs, keys)

    out = quick_jit(explain_with_keys)(*jax.device_put((xs, keys), over_batch))
    assert out.sharding.is_equivalent_to(over_batch, out.ndim)
    looped = [explain(case, x, keys[i]) for i, x in enumerate(xs)]
    assert_close(out, stack(looped))


def chunk_sizes(n):
    """One sample, a divisor if there is one, and a size that leaves a last chunk short.

    Chunks are made equal first, so not every size that divides nothing leaves one.
    """
    even = [size for size in range(2, n) if n % size == 0]
    number = lambda size: -(-n // size)
    short = [size for size in range(2, n) if n % number(size)]
    return [1, *even[-1:], short[0]]


@having(lambda case: case.samples)
def test_the_size_of_a_chunk_changes_nothing(case):
    x = examples()[0]
    given = case.given(x)

    @quick_jit
    def by_chunks(x):
        sizes = chunk_sizes(case.samples)
        return [case.make(f, chunk_size=size)(x, 2.0, 1, **given) for size in sizes]

    for out in by_chunks(x):
        assert_close(out, explain(case, x))


@having(lambda case: case.samples, CASES + VARIANTS)
def test_chunks_are_loops_and_a_chunk_that_holds_them_all_is_none(case):
    x = examples()[0]

    def program(**options):
        return str(
            jax.jit(case.make(f, **options)).trace(x, 2.0, 1, **case.given(x)).jaxpr
        )

    n = case.samples
    assert program(chunk_size=n) == program(chunk_size=n + 3) == program()
    assert program(chunk_size=n - 1) != program()


@every_variant
@pytest.mark.parametrize("chunk_size", [None, 4])
def test_f_is_traced_once(case, chunk_size):
    traces = []

    def counted(*args):
        traces.append(args)
        return f(*args)

    options = {"chunk_size": chunk_size} if case.samples and chunk_size else {}
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
