"""Does an attribution lie inside a mask: beside scikit-learn, and loops."""

import functools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from explainers import quick_jit
from helpers import assert_close
from scipy.signal import lfilter
from sklearn.metrics import (
    auc,
    average_precision_score,
    precision_recall_curve,
    roc_auc_score,
)

from jaxplain import metrics

BY_RANK = {
    "pointing_game": metrics.pointing_game,
    "relevance_rank": metrics.relevance_rank,
    "iou": metrics.iou,
    "roc_auc": metrics.roc_auc,
    "average_precision": metrics.average_precision,
}
BY_VALUE = {
    "near": partial(metrics.pointing_game, margin=1),
    "relevance_mass": metrics.relevance_mass,
    "iou_of_half": partial(metrics.iou, threshold=0.5),
    "precision": metrics.area_under_precision,
    "recall": metrics.area_under_recall,
    "published_precision": partial(metrics.area_under_precision, rule="trapezoid"),
    "published_recall": partial(metrics.area_under_recall, rule="trapezoid"),
    "information": metrics.information,
    "entropy": metrics.mask_entropy,
}
ALL = BY_RANK | BY_VALUE


@quick_jit
@jax.vmap
def scores(attribution, mask):
    return {name: measure(attribution, mask) for name, measure in ALL.items()}


RNG = np.random.default_rng(0)
SHAPE = (6, 7)
MASKS = RNG.random((8, *SHAPE)) < 0.3
MAPS = RNG.normal(size=(8, *SHAPE))
MAPS[4:] = np.rint(MAPS[4:])  # with ties
UNIT = [(a - a.min()) / (a.max() - a.min()) for a in MAPS]


@functools.cache
def ours():
    return scores(MAPS, MASKS)


def each(oracle, maps=MAPS):
    return np.array([float(oracle(m.ravel(), a.ravel())) for m, a in zip(MASKS, maps)])


def test_ranks_and_precision_are_those_of_scikit_learn():
    assert_close(ours()["roc_auc"], each(roc_auc_score))
    assert_close(ours()["average_precision"], each(average_precision_score))


def test_areas_by_trapezoids_are_those_behind_the_published_tables():
    def area(pick, mask, scaled):
        *curves, tau = precision_recall_curve(mask, scaled)
        return auc(tau, curves[pick][:-1])

    assert_close(ours()["published_precision"], each(partial(area, 0), UNIT))
    assert_close(ours()["published_recall"], each(partial(area, 1), UNIT))


def test_areas_by_steps_are_the_integrals_of_the_paper():
    tau = (np.arange(20_000) + 0.5) / 20_000

    def precision(mask, scaled):
        passed = scaled[:, None] >= tau
        return np.mean(passed[mask].sum(0) / passed.sum(0))

    # A midpoint rule misses each of at most 42 steps by half a node.
    assert_close(ours()["precision"], each(precision, UNIT), tol=42 / 40_000)
    assert_close(ours()["recall"], each(lambda m, a: a[m].mean(), UNIT))


def test_information_and_entropy_are_sums_inside_the_mask():
    bits = lambda p: np.abs(np.log2(p + 1e-5))
    spread = lambda m, a: np.sum((a * bits(a) + (1 - a) * bits(1 - a))[m])
    assert_close(ours()["information"], each(lambda m, a: bits(1 - a)[m].sum(), UNIT))
    assert_close(ours()["entropy"], each(spread, UNIT))


def test_mass_and_overlap_are_sums_over_entries():
    def mass(mask, a):
        return np.maximum(a, 0)[mask].sum() / np.maximum(a, 0).sum()

    def overlap(mask, a):
        high = a >= a.max() / 2
        return (high & mask).sum() / (high | mask).sum()

    def precision(mask, a):
        return mask[np.argsort(-a)[: mask.sum()]].mean()

    assert_close(ours()["relevance_mass"], each(mass))
    assert_close(ours()["iou_of_half"], each(overlap))
    untied = slice(0, 4)
    assert_close(ours()["relevance_rank"][untied], each(precision)[untied])
    assert_close(
        ours()["pointing_game"][untied], each(lambda m, a: m[a.argmax()])[untied]
    )
    ranked = ours()["relevance_rank"]
    assert_close(ours()["iou"], ranked / (2 - ranked))


def test_a_margin_widens_the_mask_along_every_axis():
    def near(mask, a):
        rows, columns = np.divmod(np.flatnonzero(a == a.max()), SHAPE[1])
        padded = np.pad(mask.reshape(SHAPE), 1)
        return np.mean(
            [padded[i : i + 3, j : j + 3].any() for i, j in zip(rows, columns)]
        )

    assert_close(ours()["near"], each(near))


def test_ties_are_shared_so_that_the_order_of_entries_does_not_matter():
    order = RNG.permutation(42)
    shuffle = lambda a: a.reshape(8, 42)[:, order].reshape(a.shape)
    shuffled = scores(shuffle(MAPS), shuffle(MASKS))
    assert_close(
        {name: shuffled[name] for name in ALL if name != "near"},
        {name: ours()[name] for name in ALL if name != "near"},
    )


def test_metrics_of_ranks_are_indifferent_to_a_monotone_change_and_areas_are_not():
    cubed = scores(MAPS**3, MASKS)
    assert_close({n: cubed[n] for n in BY_RANK}, {n: ours()[n] for n in BY_RANK})
    assert np.all(cubed["recall"][:4] != ours()["recall"][:4])


def test_a_map_of_zeros_scores_as_chance_does():
    zeros = scores(0 * MAPS, MASKS)
    chance = MASKS.mean((1, 2))
    for name in ("pointing_game", "relevance_rank", "average_precision"):
        assert_close(zeros[name], chance)
    assert_close(zeros["roc_auc"], np.full(8, 0.5))


def test_what_has_no_answer_is_nan():
    nan = jnp.asarray(MAPS).at[:, 2, 3].set(jnp.nan)
    for maps, masks, names in [
        (MAPS, 0 * MASKS, ALL),
        (nan, MASKS, ALL),
        (0 * MAPS, MASKS, ["relevance_mass", "iou_of_half", "precision", "recall",
                           "information", "entropy"]),
        (MAPS, 0 * MASKS + 1, ["roc_auc"]),
    ]:  # fmt: skip
        found = scores(maps, jnp.asarray(masks, bool))
        assert all(np.isnan(found[name]).all() for name in names)


def test_channels_are_summed_and_leaves_judged_together():
    a, mask = jnp.asarray(RNG.normal(size=(6, 7, 3))), MASKS[0]
    tree = [{"top": part[:2], "rest": part[2:]} for part in (a, mask)]
    mass = jax.jit(lambda *both: [metrics.relevance_mass(*pair) for pair in both])
    apart, alone = mass(tree, (a.sum(-1), mask))
    assert_close(apart, alone)


def test_a_perfect_mask_of_zeros_and_ones_is_perfect_by_steps_alone():
    perfect = scores(MASKS.astype(float), MASKS)
    assert_close(perfect["precision"], np.ones(8))
    assert_close(perfect["published_precision"], (1 + MASKS.mean((1, 2))) / 2)


def test_narrow_attributions_are_judged_in_float32():
    score = jax.eval_shape(scores, jnp.zeros((8, *SHAPE), jnp.bfloat16), MASKS)
    assert {leaf.dtype for leaf in jax.tree.leaves(score)} == {jnp.dtype("float32")}


@pytest.mark.slow
def test_integrated_gradients_of_rare_features_score_as_published():
    # time_interpret, experiments/arma/results.csv, rare feature, over 5 folds.
    published = {"precision": 1.0, "recall": 0.1345, "information": 463.8}
    spread = {"precision": 0.0, "recall": 0.0043, "information": 15.0}

    def series(seed):
        rng = np.random.default_rng(seed)
        x = lfilter([2], [2, 0.5, 0.2, 0.1], rng.normal(size=(10, 50, 50)), axis=1)
        mask = np.zeros(x.shape, bool)
        for one in mask:
            one[12:37, rng.permutation(50)[:5]] = True
        # The model sums the squares inside the mask, so the attribution is they.
        phi = np.where(mask, x**2, 0)
        return phi / phi.max((1, 2), keepdims=True), mask

    found = [scores(*(part[None] for part in series(seed))) for seed in range(10)]
    for name, value in published.items():
        ours = np.array([one[name][0] for one in found])
        error = np.hypot(ours.std() / np.sqrt(10), spread[name] / np.sqrt(5))
        assert abs(ours.mean() - value) <= 4 * error + 1e-3  # three decimals


def test_masks_that_do_not_fit_are_refused():
    a = jnp.ones((4, 5, 3))
    for mask in (jnp.ones((5, 4)), jnp.ones((4, 5, 3, 1)), {"a": jnp.ones((4, 5))}):
        with pytest.raises(ValueError, match="`mask` must have the shape of the attr"):
            metrics.relevance_mass(a, mask)
    mask = jnp.ones((4, 5))
    with pytest.raises(ValueError, match="`margin` must be at least 0, but is -1"):
        metrics.pointing_game(a, mask, margin=-1)
    with pytest.raises(ValueError, match="`threshold` must be a positive number"):
        metrics.iou(a, mask, threshold=0.0)
    with pytest.raises(ValueError, match="`rule` must be one of 'step', 'trapezoid'"):
        metrics.area_under_recall(a, mask, rule="steps")
    with pytest.raises(ValueError, match="`eps` must be a positive number"):
        metrics.information(a, mask, eps=0.0)
