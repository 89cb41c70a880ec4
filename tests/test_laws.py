"""What every explainer owes its user, whatever it computes."""

from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from explainers import (
    CASES,
    VARIANTS,
    examples,
    explain,
    explain_of,
    f,
    having,
    quick_jit,
)
from helpers import assert_close

import jaxplain as jx
from jaxplain import testing

every = having(lambda case: True)
every_variant = having(lambda case: True, CASES + VARIANTS)
keyed = having(lambda case: "key" in case.needs)
noiseless = having(lambda case: not case.noise)


def epsilon(dtype):
    """The policy of `assert_close`, for an `f` that ran in another dtype."""
    return float(jnp.finfo(dtype).eps) ** 0.75


def own(case):
    """A call for `jaxplain.testing`, whose baselines are drawn."""
    return {"f": f, "x": examples()[0], "args": (2.0, 1), **case.refs}


@having(lambda case: case.like_x)
def test_an_explanation_has_the_shape_and_dtype_of_the_input(case):
    testing.check_dtype(case.make, **own(case))


@having(lambda case: case.like_x, VARIANTS)
def test_a_variant_has_the_shape_and_dtype_of_the_input(case):
    dtypes = [jnp.bfloat16, jnp.float32]  # neither of which is the default here
    testing.check_dtype(case.make, dtypes=dtypes, **own(case))


# What keeps the covariance of a Gaussian process definite: a noise of `eps ** 0.6`.
JITTER = {"gp_shap": 1e-4}


@noiseless  # noise of another dtype is other noise
def test_float32_agrees_with_float64(case):
    tol = JITTER.get(case.name)
    make = explain_of(case)
    testing.check_precision(make, low=jnp.float32, tol=tol, **own(case))


@every
def test_bfloat16_agrees_with_float32(case):
    make = explain_of(case)
    testing.check_precision(make, low=jnp.bfloat16, high=jnp.float32, **own(case))


@every
def test_numpy_inputs_are_explained_like_jax_inputs_and_left_alone(case):
    x = examples()[0]
    given = case.given(x)
    key = {"key": given.pop("key")} if "key" in given else {}
    arrays = [np.array(x), np.array(2.0), np.array(1), jax.tree.map(np.array, given)]
    before = jax.tree.map(np.copy, arrays)
    # What fails with NumPy fails while it is traced: nothing is compiled here.
    call = lambda: case.make(f)(*arrays[:3], **arrays[3], **key)
    of_jax = jax.eval_shape(case.make(f), x, 2.0, 1, **case.given(x))
    assert jax.eval_shape(call) == of_jax
    jax.tree.map(np.testing.assert_array_equal, arrays, before)


def given_split(case, x, split):
    """The keywords of the flat call, in the structure that `split` gives to `x`."""
    given = case.given(x)
    if "attribution" in given:
        given["attribution"] = split(given["attribution"])
    if "baseline" in given:
        inside = jax.vmap(split) if "stack" in case.needs else split
        given["baseline"] = inside(given["baseline"])
    return given


def split(x):
    """Leaves of several shapes and dtypes, in the order of `x`."""
    return {"a": (x[:2],), "b": x[2:5].reshape(1, 3).astype(jnp.float16), "c": x[5]}


def join(tree):
    leaves = [leaf.astype(jnp.float32).ravel() for leaf in jax.tree.leaves(tree)]
    return jnp.concatenate(leaves)


@noiseless
def test_a_pytree_is_explained_like_one_flat_array(case):
    x = examples(1, jnp.float16)[0].astype(jnp.float32)
    explain_tree = quick_jit(case.make(lambda tree, *args: f(join(tree), *args)))
    out = explain_tree(split(x), 2.0, 1, **given_split(case, x, split))
    if case.like_x:
        assert jax.tree.map(jax.typeof, out) == jax.tree.map(jax.typeof, split(x))
        out = join(out)
    # Points on the way from the baseline are rounded to float16 in one of the leaves.
    assert_close(out, explain(case, x), tol=epsilon(jnp.float16))


@having(lambda case: case.noise)
def test_every_leaf_of_a_pytree_has_noise_of_its_own(case):
    x = {"a": jnp.ones(3), "b": (jnp.ones(3), None)}
    f = lambda x: jnp.sum(x["a"] ** 2) + jnp.sum(x["b"][0] ** 2)
    out = quick_jit(case.make(f))(x, **case.given(x))
    assert jax.tree.structure(out) == jax.tree.structure(x)
    assert len(np.unique([*out["a"], *out["b"][0]])) == 6


@every_variant
def test_the_arguments_of_f_arrive_as_they_were_given(case):
    x, settings = examples()[0], {"scale": 2.0, "name": "tanh"}
    seen = set()

    def of_many(x, settings, label, weights, *, offset):
        seen.add((settings["name"], type(label), weights.shape, offset))
        return f(x, settings["scale"], label) * weights.sum()

    explain_many = case.make(partial(of_many, offset=3))
    call = lambda x, w, given: explain_many(x, settings, 1, w, **given)
    jax.eval_shape(call, x, jnp.ones(2), case.given(x))
    assert seen == {("tanh", int, (2,), 3)}


@having(lambda case: "baseline" in case.needs)
def test_a_number_for_a_baseline_stands_for_an_array_of_it(case):
    x = examples()[0]
    given = case.given(x)
    number = quick_jit(partial(case.make(f), baseline=-0.25))
    del given["baseline"]
    assert_close(number(x, 2.0, 1, **given), explain(case, x))


@keyed
def test_the_key_decides_and_another_one_matters_where_something_is_drawn(case):
    random = case.random
    testing.check_key(explain_of(case), random=random, jit=quick_jit, **own(case))


def test_a_key_of_the_old_style_is_a_key():
    x = jnp.ones(3)
    explain = quick_jit(jx.smooth(jx.saliency(lambda x: jnp.sum(x**2)), std=0.1))
    old, new = explain(x, key=jr.PRNGKey(7)), explain(x, key=jr.key(7))
    np.testing.assert_array_equal(old, new)


@having(lambda case: case.grouped)
def test_a_group_for_each_feature_is_no_group_at_all(case):
    x = examples()[0]
    explain_groups = quick_jit(case.make(f, num_groups=6))
    out = explain_groups(x, 2.0, 1, **case.given(x), groups=np.arange(6))
    assert_close(out, explain(case, x))


@having(lambda case: case.grouped and not case.random)
def test_attributions_follow_the_labels_of_their_groups(case):
    x, order = examples()[0], np.array([3, 0, 4, 1, 5, 2])
    explain_groups = quick_jit(case.make(f, num_groups=6))
    out = explain_groups(x, 2.0, 1, **case.given(x), groups=order)
    assert_close(out[order], explain(case, x))


def test_the_names_of_the_registry_are_unique():
    names = [case.name for case in CASES + VARIANTS]
    assert len(names) == len(set(names))
