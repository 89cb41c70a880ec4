"""What every explainer owes a batch: a map is a loop, wherever the examples lie."""

import functools

import jax
import jax.numpy as jnp
import jax.random as jr
import pytest
from explainers import (
    CASES,
    compiled,
    examples,
    explain,
    f,
    having,
    in_one_or_several_chunks,
    quick_jit,
)
from helpers import assert_close

every = having(lambda case: True)
SCALES, LABELS = jnp.array([2.0, -1.0, 0.5, 3.0]), jnp.array([1, 0, 0, 1])

OVER_BATCH = jax.P("batch")
AUTO, EXPLICIT = jax.sharding.AxisType.Auto, jax.sharding.AxisType.Explicit


def mesh_of(axis_type):
    if jax.device_count() < 2:
        pytest.skip("a mesh needs two devices, which `conftest.py` makes of a CPU")
    return jax.make_mesh((2,), ("batch",), axis_types=(axis_type,))


def row(tree, i):
    return jax.tree.map(lambda leaf: leaf[i], tree)


def stack(trees):
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)


def shared(case, **options):
    """The explainer of `f`, bound to what all the examples share."""
    return functools.partial(case.make(f, **options), **case.given(examples()[0]))


@functools.cache
def batched(case):
    return quick_jit(jax.vmap(shared(case)))


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
    of_label = lambda label: shared(case)(x, 2.0, label)
    mapped = quick_jit(jax.vmap(of_label))(jnp.arange(2))
    given = case.given(x)
    assert_close(mapped, stack([compiled(case)(x, 2.0, i, **given) for i in range(2)]))


@having(lambda case: case.grouped and not case.random)
def test_vmap_over_groups_is_a_loop(case):
    x, groups = examples()[0], jnp.array([[0, 0, 1, 1, 2, 2], [2, 0, 1, 0, 1, 2]])
    explain_groups = functools.partial(case.make(f, num_groups=3), **case.given(x))
    of_groups = quick_jit(lambda g: explain_groups(x, 2.0, 1, groups=g))
    mapped = quick_jit(jax.vmap(lambda g: explain_groups(x, 2.0, 1, groups=g)))(groups)
    assert_close(mapped, stack([of_groups(labels) for labels in groups]))


@every
def test_the_place_in_a_batch_does_not_matter(case):
    xs, order = examples(4), jnp.array([2, 0, 3, 1])
    together = batched(case)(xs, SCALES, LABELS)
    shuffled = batched(case)(xs[order], SCALES[order], LABELS[order])
    assert_close(shuffled, row(together, order))
    given = case.given(xs[0])
    alone = [compiled(case)(xs[i], SCALES[i], LABELS[i], **given) for i in range(4)]
    assert_close(together, stack(alone))


@every
def test_a_sharded_batch_is_explained_where_it_lies(case):
    batch = examples(4), SCALES, LABELS
    over_batch = jax.NamedSharding(mesh_of(AUTO), OVER_BATCH)
    out = batched(case)(*jax.device_put(batch, over_batch))
    for leaf in jax.tree.leaves(out):
        same_for_all = bool((leaf == leaf[:1]).all())  # as the fractions of a curve
        assert same_for_all or leaf.sharding.is_equivalent_to(over_batch, leaf.ndim)
    assert_close(out, batched(case)(*batch))


@pytest.mark.slow
@having(lambda case: case.random)
def test_a_key_for_each_shard_changes_nothing(case):
    over_batch = jax.NamedSharding(mesh_of(AUTO), OVER_BATCH)
    xs, keys = examples(2), jr.split(jr.key(0), 2)

    def explain_with_keys(xs, keys):
        one = lambda x, key: case.make(f)(x, 2.0, 1, **case.given(x, key))
        return jax.vmap(one)(xs, keys)

    out = quick_jit(explain_with_keys)(*jax.device_put((xs, keys), over_batch))
    assert out.sharding.is_equivalent_to(over_batch, out.ndim)
    assert_close(out, stack([explain(case, x, keys[i]) for i, x in enumerate(xs)]))


# Types of shardings are settled while a program is traced: nothing is compiled here.
@in_one_or_several_chunks()
def test_shard_map_takes_any_explainer(case, options):
    explain_batch = jax.vmap(shared(case, **options))
    each = jax.shard_map(
        explain_batch, mesh=mesh_of(AUTO), in_specs=OVER_BATCH, out_specs=OVER_BATCH
    )
    batch = examples(4), SCALES, LABELS
    out, expected = (jax.eval_shape(fn, *batch) for fn in (each, explain_batch))
    assert jax.tree.map(jnp.shape, out) == jax.tree.map(jnp.shape, expected)


@pytest.mark.slow
@in_one_or_several_chunks()
def test_a_mesh_of_explicit_axes_takes_any_explainer(case, options):
    explain_batch = jax.vmap(shared(case, **options), in_axes=(0, None, None))
    mesh = mesh_of(EXPLICIT)
    with jax.set_mesh(mesh):
        xs = jax.device_put(examples(4), jax.NamedSharding(mesh, OVER_BATCH))
        out = jax.eval_shape(explain_batch, xs, 2.0, 1)
    specs = [leaf.sharding.spec for leaf in jax.tree.leaves(out) if leaf.sharding]
    assert specs  # but for the fractions of a curve, which are the same for all
    assert all(spec[0] == "batch" for spec in specs)


@pytest.mark.parametrize("chunk_size", [None, 3])
def test_shard_map_changes_nothing(chunk_size):
    case = next(case for case in CASES if case.name == "integrated_gradients")
    each = jax.shard_map(
        jax.vmap(shared(case, chunk_size=chunk_size)),
        mesh=mesh_of(AUTO),
        in_specs=OVER_BATCH,
        out_specs=OVER_BATCH,
    )
    batch = examples(4), SCALES, LABELS
    assert_close(quick_jit(each)(*batch), batched(case)(*batch))
