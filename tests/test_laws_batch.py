"""What every explainer owes a batch: a map is a loop, wherever the examples lie."""

import functools

import jax
import jax.numpy as jnp
import pytest
from explainers import (
    CASES,
    compiled,
    examples,
    explain_of,
    f,
    having,
    in_one_or_several_chunks,
    quick_jit,
)
from helpers import assert_close

from jaxplain import testing

every = having(lambda case: True)
SCALES, LABELS = jnp.array([2.0, -1.0, 0.5, 3.0]), jnp.array([1, 0, 0, 1])

OVER_BATCH = jax.P("batch")
AUTO, EXPLICIT = jax.sharding.AxisType.Auto, jax.sharding.AxisType.Explicit


def mesh_of(axis_type):
    if jax.device_count() < 2:
        pytest.skip("a mesh needs two devices, which `conftest.py` makes of a CPU")
    return jax.make_mesh((2,), ("batch",), axis_types=(axis_type,))


def stack(trees):
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)


def shared(case, **options):
    """The explainer of `f`, bound to what all the examples share."""
    return functools.partial(case.make(f, **options), **case.given(examples()[0]))


def own(case):
    """A batch for `jaxplain.testing`: every argument is mapped."""
    batch = {"f": f, "xs": examples(4), "args": (SCALES, LABELS), "in_axes": (0, 0)}
    return {**batch, "jit": quick_jit, **case.refs}


@every
def test_a_batch_over_devices_is_a_loop_and_stays_where_it_lies(case):
    mesh_of(AUTO)
    testing.check_devices(explain_of(case), **own(case))


@pytest.mark.slow  # the same on one device
@every
def test_vmap_over_every_argument_is_a_loop(case):
    testing.check_batch(explain_of(case), **own(case))


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


def assert_shard_map_takes(case, **options):
    """Types of shardings are settled while a program is traced: none is compiled."""
    each = jax.shard_map(
        jax.vmap(shared(case, **options)),
        mesh=mesh_of(AUTO),
        in_specs=OVER_BATCH,
        out_specs=OVER_BATCH,
    )
    out = jax.eval_shape(each, examples(4), SCALES, LABELS)
    assert all(leaf.shape[0] == 4 for leaf in jax.tree.leaves(out))


@every
def test_shard_map_takes_any_explainer(case):
    options = {"chunk_size": 3} if case.samples else {}  # a scan is harder to type
    assert_shard_map_takes(case, **options)


@pytest.mark.slow
@having(lambda case: case.samples)
def test_shard_map_takes_all_samples_at_once(case):
    assert_shard_map_takes(case)


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
    together = quick_jit(jax.vmap(shared(case)))(*batch)
    assert_close(quick_jit(each)(*batch), together)
