"""Masks by gradient descent: at a price, or of a given area."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from explainers import quick_jit
from helpers import assert_close
from raising import cases, check

from jaxplain import baselines, series
from jaxplain.perturbations import learned_mask

WEIGHTS = jnp.array([5.0, 0.25, 3.0, 1.0, 0.25, 0.5])  # shares of 10, of 6 entries
X = jnp.ones(6)


def total(x):
    return (WEIGHTS * x).sum()


def both(x):
    return x[0] * x[1] + 0.05 * x[2:].sum()


def plain(f, **options):
    return partial(learned_mask(f, **options), baseline=0.0)


def fit(f, **options):
    return quick_jit(plain(f, **options))


def select(x, area):
    return plain(total, steps=30)(x, area=area)


of_area = quick_jit(select)


@pytest.mark.parametrize(
    ("goal", "sparsity", "selected"),
    [
        pytest.param("preserve", 0.1, "111111", marks=pytest.mark.slow),
        ("delete", 1.0, "101000"),
        pytest.param("preserve", 2.0, "100000", marks=pytest.mark.slow),
        pytest.param("delete", 0.1, "111111", marks=pytest.mark.slow),
    ],
)
def test_in_a_sum_what_is_worth_more_than_its_price_is_selected(
    goal, sparsity, selected
):
    found = fit(total, goal=goal, sparsity=sparsity, steps=60)(X)
    mask = jnp.array([float(c) for c in selected])
    assert_close(found.mask, mask, tol=1e-2)  # steps of a descent that fades out
    kept = mask if goal == "preserve" else 1 - mask
    assert_close(found.value, total(kept), tol=2e-2)


def test_what_speaks_against_is_selected_where_the_value_is_below_the_baseline():
    found = fit(lambda x: x[0] - total(x), steps=60)(X)
    assert_close(found.mask, jnp.array([1.0, 0, 1, 0, 0, 0]), tol=1e-2)


def test_entries_that_matter_together_are_selected_together():
    found = fit(both, steps=60)(X)
    assert_close(found.mask, jnp.array([1.0, 1, 0, 0, 0, 0]), tol=1e-2)
    assert found.losses.shape == (60,)
    assert found.losses[-1] < found.losses[0]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_mask_of_an_area_selects_the_best_of_that_number(number):
    found = of_area(X, number / 6)
    best = np.zeros(6)
    best[np.argsort(-WEIGHTS)[:number]] = 1
    assert_close(found.mask, jnp.asarray(best), tol=1e-9)


def test_the_area_is_kept_exactly_whatever_f_is():
    rough = lambda x: jnp.sin(7 * x).sum() * x[1] + x[4]
    areas = jnp.array([0.1, 0.37, 0.9])
    find = lambda area: plain(rough, steps=7)(X, area=area)
    assert_close(quick_jit(jax.vmap(find))(areas).mask.mean(1), areas)


def test_areas_and_examples_are_mapped_in_one_program():
    areas = jnp.array([1 / 6, 0.4])
    found = quick_jit(jax.vmap(select, (None, 0)))(X, areas)
    assert_close(found.mask[1], of_area(X, 0.4).mask)
    batch = quick_jit(jax.vmap(select, (0, None)))(jnp.stack([X, 2 * X]), 0.4)
    assert_close(batch.value, 4 * of_area(X, 0.4).value * jnp.array([0.25, 0.5]))


def test_a_mask_of_groups_is_that_of_their_sums():
    labels = np.array([0, 1, 1, 1, 1, 1])
    found = fit(total, num_groups=2, steps=20)(X, groups=labels, area=0.5)
    sums = lambda z: z @ jnp.array([5.0, 5.0])
    assert found.mask.shape == (2,)
    assert_close(found.mask.sum(), jnp.asarray(1.0))
    assert_close(found.value, fit(sums, steps=20)(jnp.ones(2), area=0.5).value)


def test_a_coarse_grid_is_shared_by_channels_and_stretched_without_edges():
    bright = lambda x: x[:4].sum() - 0.1 * x[4:].sum()
    image = jnp.ones((8, 6, 2))
    found = fit(bright, grid=(2, 2), steps=30)(image, area=0.5)
    assert found.mask.shape == image.shape
    assert_close(found.mask[..., 0], found.mask[..., 1])
    # The cells above are 1 and those below 0; linear between their centres.
    column = jnp.clip((5.5 - jnp.arange(8.0)) / 4, 0, 1)
    assert_close(found.mask[:, 3, 0], column)


@pytest.mark.slow
def test_smoothness_joins_what_is_apart():
    gaps = jnp.array([1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0, 0, 0, 0, 0, 0])
    f = lambda x: (gaps * x).sum()
    alone = fit(f, steps=100)(jnp.ones(12)).mask
    joined = fit(f, smoothness=2.0, steps=100)(jnp.ones(12)).mask
    assert jnp.abs(jnp.diff(alone)).sum() > 4
    assert jnp.abs(jnp.diff(joined)).sum() < 2


def test_the_dtype_and_the_structure_of_the_input_are_kept():
    f = lambda x: (2 * x["a"] + x["b"].astype(jnp.float32).sum()).sum()
    x = {"a": jnp.ones(2, jnp.float32), "b": jnp.ones(3, jnp.bfloat16)}
    found = jax.eval_shape(plain(f, steps=5), x)
    assert jax.tree.map(jnp.shape, found.mask) == jax.tree.map(jnp.shape, x)
    assert [a.dtype for a in jax.tree.leaves(found.mask)] == [jnp.float32, jnp.bfloat16]


def test_where_f_is_flat_the_mask_stays_where_it_is():
    found = fit(lambda x: jnp.minimum(x[3], 0.5), steps=20)(X, area=1 / 6)
    assert_close(found.mask, jnp.zeros(6).at[3].set(1.0), tol=1e-9)


def test_leaves_of_several_dtypes_share_an_area():
    f = lambda x: x["a"].sum().astype(jnp.float64) + x["b"].sum()
    x = {"a": jnp.ones(2, jnp.float32), "b": jnp.ones(3, jnp.float64)}
    found = jax.eval_shape(plain(f, steps=5), x, area=0.4)
    assert [a.dtype for a in jax.tree.leaves(found.mask)] == [jnp.float32, jnp.float64]


def test_prices_of_numpy_leave_the_dtype_alone():
    prices = {"sparsity": np.float64(0.5), "smoothness": np.float64(0.5)}
    found = jax.eval_shape(plain(jnp.sum, **prices), X.astype(jnp.float32))
    assert found.losses.dtype == jnp.float32


@pytest.mark.slow
def test_the_masks_of_transformed_functions_perturb_as_those_do():
    spike = jnp.zeros((6, 1)).at[3].set(1.0)
    third = lambda x: x[3, 0]
    for g in (series.unfocused(third, sigma=50.0), baselines.inpainted(third)):
        found = fit(g, steps=20)(jnp.ones(6), spike, area=1 / 6)
        # Flat where the step is in focus: nothing else is preferred.
        assert_close(found.mask, jnp.zeros(6).at[3].set(1.0), tol=1e-9)


def test_an_optimizer_of_the_user_is_taken():
    slow = fit(total, steps=3, optimizer=optax.sgd(1e-3))(X)
    assert_close(slow.mask, jnp.full(6, 0.5), tol=1e-2)


def test_an_optimizer_may_hold_a_key():
    noisy = optax.add_noise(1e-3, 0.5, key=jax.random.key(0))
    found = jax.eval_shape(plain(total, steps=3, optimizer=noisy), X)
    assert found.mask.shape == X.shape


@cases(
    goal=(
        lambda: learned_mask(total, goal="keep"),
        ValueError,
        "`goal` must be one of 'preserve', 'delete', but is 'keep'.",
    ),
    optimizer=(
        lambda: learned_mask(total, optimizer="adam"),
        TypeError,
        "`optimizer` must be an optimizer of optax, but is str. Pass one, for example "
        "`optax.adam(0.1)`.",
    ),
    both=(
        lambda: plain(total, optimizer=optax.sgd(1.0))(X, area=0.5),
        ValueError,
        "`optimizer` must be left out where an `area` is passed, but is "
        "GradientTransformationExtraArgs. The area is kept by steps of their own.",
    ),
    area=(
        lambda: plain(total)(X, area=1.5),
        ValueError,
        "`area` must be above 0 and below 1, but is 1.5. It is the share of the "
        "entries that the mask selects.",
    ),
    areas=(
        lambda: plain(total)(X, area=jnp.ones(2)),
        ValueError,
        "`area` must be one number, but has shape (2,). Map over several with "
        "`jax.vmap`.",
    ),
    groups=(
        lambda: learned_mask(total, num_groups=2, smoothness=0.5),
        ValueError,
        "`num_groups` must come without `smoothness` and `grid`, but they are 0.5 and "
        "None. Groups have no order in space: make the cells of a grid groups with "
        "`jaxplain.groups.patches`, or leave the groups out.",
    ),
    grid=(
        lambda: plain(total, grid=7)(X, area=0.5),
        ValueError,
        "`grid` must have at most one cell per entry along an axis of `x`, which is "
        "float64[6], but is 7. Leave `grid` out for a mask of every entry.",
    ),
    missing=(
        lambda: learned_mask(total)(X),
        TypeError,
        "`baseline` is missing: say what an absent feature looks like, for example "
        "`baseline=0.0`.",
    ),
)
def test_a_mask_that_cannot_be_learned_is_an_error(call, error, message):
    check(call, error, message)
