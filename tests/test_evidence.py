"""An evaluation measures all explainers alike, and says what it found."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close

import jaxplain as jx
from jaxplain import evidence, metrics
from jaxplain.evidence import (
    _controls,
    _kinds,
    _measures,
    _programs,
    _rows,
    _stages,
    _table,
    _types,
    _valid,
    _words,
)
from jaxplain.evidence._catalogue import MEASURES
from jaxplain.evidence._measures import Settings

KEY = jax.random.key(0)
XS = np.random.default_rng(0).normal(size=(13, 5))  # no multiple of the batch
PARAMS = {
    "first": jax.random.normal(jax.random.key(1), (5, 4), "float64"),
    "last": jax.random.normal(jax.random.key(2), (4,), "float64"),
}


ONLY = (
    "relative_gap",
    "deletion",
    "insertion",
    "max_sensitivity",
    "pointing_game",
    "relevance_mass",
    "sparseness",
)


def model(params, x):
    return jnp.tanh(x @ params["first"]) @ params["last"]


def explainers(params):
    f = partial(model, params)
    gradients = jx.integrated_gradients(f, steps=4)
    return {
        "IG": partial(gradients, baseline=0.0),
        "seven IG": lambda x: 7 * gradients(x, baseline=0.0),
        "input": lambda x: jnp.abs(x),
        "noisy": lambda x, key: jax.random.normal(key, x.shape, x.dtype),
    }


f = partial(model, PARAMS)


@pytest.fixture(scope="module")
def found():
    return evidence.evaluate(
        f,
        explainers(PARAMS),
        XS,
        key=KEY,
        baseline=0.0,
        masks=XS > 0.5,
        params=PARAMS,
        of_params=explainers,
        only=ONLY,
        num_perturbed=3,
        num_randomised=9,
        batch_size=5,
    )


def test_every_explainer_and_control_has_a_score_for_every_example(found):
    for metric, scores in found.scores.items():
        wanted = found.names
        if metric in ("relative_gap", "max_sensitivity"):  # a control has none
            wanted = tuple(explainers(PARAMS))
        assert tuple(scores) == wanted
        assert {values.shape for values in scores.values()} == {(13,)}


def test_a_score_is_the_metric_of_one_example_at_a_time(found):
    curve = metrics.deletion(f)
    one = lambda x, phi: curve(x, attribution=phi, baseline=0.0)
    own = jax.jit(jax.vmap(one))(XS, found.attributions["IG"])
    assert_close(found.scores["deletion"]["IG"], own.area)
    assert_close(found.curves["deletion"].values["IG"], own.value)


def test_the_sensitivity_is_that_of_the_metric(found):
    """With its draws: the key of the metrics, folded with the row."""
    explain = explainers(PARAMS)["IG"]
    radius = found.settings["radius"]
    measure = metrics.max_sensitivity(explain, radius=radius, num_samples=3)
    key = jax.random.split(KEY, 4)[1]
    rows = jnp.arange(13, dtype=jnp.int32)
    one = lambda row, x: measure(x, key=jax.random.fold_in(key, row))
    assert_close(
        found.scores["max_sensitivity"]["IG"], jax.jit(jax.vmap(one))(rows, XS)
    )


def test_the_randomisation_is_that_of_the_metric(found):
    explain = lambda params, x: explainers(params)["IG"](x)
    measure = metrics.parameter_randomisation(explain)
    key = jax.random.split(KEY, 4)[2]
    own = jax.jit(jax.vmap(lambda x: measure(PARAMS, x, key=key).similarity))(XS[:9])
    assert found.cascade.layers == ("last", "first")
    assert_close(found.cascade.similarity["IG"], own)


def test_an_explainer_that_needs_a_key_gets_one_per_example(found):
    maps = found.attributions["noisy"]
    assert len(np.unique(maps)) == maps.size


def test_a_key_is_passed_where_it_is_open_and_nowhere_else():
    gradient, key = jx.saliency(f), jax.random.key(0)
    smooth = jx.smooth(gradient, std=0.1, num_samples=2)
    open_ones = (
        smooth,
        jax.jit(smooth),
        partial(smooth, num=1),
        jx.kernel_shap(f, num_samples=8),
    )
    assert all(_rows.needs_key(explain) for explain in open_ones)
    closed = (gradient, jax.jit(gradient), partial(smooth, key=key), abs, jnp.abs)
    assert not any(_rows.needs_key(explain) for explain in closed)


def test_batches_change_no_draw(found):
    run = _programs.mapped(explainers, "noisy", "table")
    draws = jax.random.split(KEY, 4)[0]
    program = partial(_programs.of_examples(run, draws), PARAMS)
    again = _rows.over(13, 13, program, XS, ())
    assert_close(again, found.attributions["noisy"])


@pytest.mark.slow
def test_batches_change_no_score(found):
    maps = {"noisy": explainers(PARAMS)["noisy"]}
    again = evidence.evaluate(f, maps, XS, key=KEY, only=["sparseness"], batch_size=99)
    for name in ("noisy", "random order"):
        assert_close(again.scores["sparseness"][name], found.scores["sparseness"][name])


def test_a_metric_is_traced_once_for_all_explainers():
    traces = []

    def counted(x):
        traces.append(x)
        return jnp.sum(x**2)

    one = metrics.deletion(counted)
    jax.eval_shape(lambda x: one(x, attribution=x, baseline=0.0), XS[0])
    own, traces[:] = len(traces), []
    maps = {"a": lambda x: x, "b": lambda x: -x, "c": lambda x: x**3}
    evidence.evaluate(counted, maps, XS, key=KEY, baseline=0.0, only=["deletion"])
    assert len(traces) == own


def test_a_metric_at_the_same_points_for_every_map_evaluates_f_for_one_of_them():
    def evaluations(maps):
        sizes = []

        def on_host(x):
            sizes.append(x.size // XS[0].size)
            return np.sum(x**2, axis=-1)

        def f(x):
            out = jax.ShapeDtypeStruct((), x.dtype)
            return jax.pure_callback(on_host, out, x, vmap_method="expand_dims")

        (measure,) = (m for m in MEASURES if m.name == "faithfulness_correlation")
        settings = Settings(f, 4, 8, 2, 0.1, 4, "table")
        program = _programs.of_measures([measure], settings, jnp.zeros_like, KEY)
        (some,) = _stages.together(maps, [*maps], measure.shares)
        rows = jnp.arange(13, dtype=jnp.int32)
        jax.block_until_ready(program(rows, XS, (), _stages.stacked(maps, some), None))
        return sum(sizes)

    assert evaluations({"a": XS}) == evaluations({"a": XS, "b": -XS}) > 0


def test_what_lacks_its_input_is_left_out():
    able = lambda *given: {
        m.name for m in _valid.choose(None, _stages.available(*given), MEASURES)
    }
    assert able("table", None, None) == {"max_sensitivity", "sparseness", "entropy"}
    assert able("image", None, None) - able("table", None, None) == {"road"}
    assert "deletion" in able("table", 0.0, None) - able("table", None, None)
    assert "roc_auc" in able("table", None, XS > 0) - able("table", None, None)


@pytest.mark.parametrize(
    "shape",
    [
        (8, 8, 2),
        pytest.param((5,), marks=pytest.mark.slow),
        pytest.param((6, 3), marks=pytest.mark.slow),
    ],
)
def test_every_metric_can_be_traced_for_every_kind_of_data(shape):
    """Nothing is compiled: that the metrics are called as they want to be."""
    xs = jnp.ones((2, *shape))
    kind = _kinds.kind_of(xs[0], None)
    maps = jax.vmap(lambda x: _kinds.to_map(x, x, kind))(xs)
    settings = Settings(jnp.sum, 4, 8, 2, 0.1, 4, kind)
    start = _programs.starter(lambda x: 0 * x)
    rows = jnp.arange(2, dtype=jnp.int32)
    given = _stages.available(kind, 0.0, maps)
    measures = [m for m in MEASURES if m.needs <= given]
    found = {}
    for _, group in _programs.grouped(measures):
        program = _programs.of_measures(group, settings, start, KEY)
        found |= jax.eval_shape(program, rows, xs, (), maps[:, None], maps > 0)
    assert {m.name for m in measures} == {*found, "max_sensitivity"}


def test_the_table_holds_the_means(found):
    row = found.table.metrics.index("insertion")
    own = [found.scores["insertion"][name].mean() for name in found.names]
    assert_close(found.table.mean[row], np.array(own))
    assert np.all(found.table.low[row] <= own)
    assert np.all(own <= found.table.high[row])


@pytest.mark.slow
def test_a_missing_score_widens_no_other():
    scores = {"relative_gap": {"own": XS[:, 0].astype(np.float32)}}
    measures = [m for m in MEASURES if m.name in scores]
    made = _table.table(measures, scores, ["own", "edges"], ["edges"], KEY, 0.95)
    assert made.mean.dtype == np.float32


def test_a_leader_is_the_best_or_not_behind_it(found):
    row = found.table.metrics.index("relative_gap")
    leads = dict(zip(found.names, found.table.leads[row], strict=True))
    assert leads["IG"]
    assert not leads["seven IG"]


def said(found, *parts):
    return any(all(part in warning for part in parts) for warning in found.warnings)


def test_a_map_that_ignores_the_weights_is_warned_of(found):
    assert said(found, "input does not change when the weights do")
    assert not said(found, "IG does not change when the weights do")


def test_an_explainer_that_rescales_is_warned_of(found):
    gap = "seven IG 600 %"  # seven times the difference is six too much
    assert said(found, "Completeness gap", gap)
    assert not said(found, "Completeness gap: IG")


def test_a_map_without_the_model_is_no_better_than_a_random_order(found):
    assert said(found, "noisy is not better than a random order")
    assert not said(found, "seven IG is not better than a random order")


def test_a_map_of_the_input_is_told_to_be_one(found):
    assert said(found, "input orders the features", "the size of the input itself")


def test_maps_that_are_broken_are_warned_of():
    spoilt = {
        "nan": lambda x: jnp.where(x[0] > 0, x, jnp.nan),
        "flat": lambda x: jnp.zeros_like(x),
    }
    broken = evidence.evaluate(f, spoilt, XS, key=KEY, baseline=0.0, only=["deletion"])
    number = int(np.sum(XS[:, 0] <= 0))
    assert said(broken, f"nan is not finite in {number} of 13")
    assert said(broken, "flat is the same everywhere in 13 of 13")


def test_few_examples_are_warned_of(found):
    assert said(found, "only 13 examples")


def test_examples_too_few_for_any_test_are_warned_of(found):
    """Each of 16 tests has at least 2 / 2 ** 8, and Holm makes it 1 / 8."""
    assert "no difference can pass" in next(_words._few(9, found.table))


def test_a_metric_that_cannot_be_tested_says_nothing_of_an_explainer(found):
    missing = {c: np.full_like(p, np.nan) for c, p in found.table.against.items()}
    untested = found.table._replace(against=missing)
    assert list(_words._no_better(found.table, found.controls))
    assert not list(_words._no_better(untested, found.controls))


def test_numbers_of_their_own_are_no_flat_map():
    maps = {"own": {"a": XS[:, 0], "b": XS[:, 1]}, "flat": {"a": XS[:, 0]}}
    (warning,) = _words._broken(maps, ["own", "flat"])
    assert warning.startswith("flat is the same everywhere")


def test_an_example_that_is_not_finite_does_not_spoil_the_radius():
    xs = {"a": np.array([np.nan, 1.0, 4.0]), "b": np.array([np.inf, 2.0, 2.0])}
    assert _stages.spread(xs) == 3
    assert _stages.spread(np.full(2, np.nan)) == 1


def test_squares_of_a_grey_picture_are_removed_and_windows_of_a_series():
    xs = jnp.ones((8, 8))

    def removed(kind):
        there = _measures._removal(xs, kind)(xs, KEY, baseline=0.0)
        return int(jnp.sum(there.x == 0))

    assert (removed("image"), removed("series")) == (4, 16)


@pytest.mark.parametrize(
    ("value", "text"), [(0.0012345, "0.00123"), (0.012345, "0.0123"), (12.345, "12.3")]
)
def test_numbers_have_three_digits_that_count(value, text):
    assert _types.number(value) == text


def test_half_precision_is_measured_in_single():
    run = _programs.mapped(lambda _: {"own": lambda x: x}, "own", "table")
    x = jax.ShapeDtypeStruct((5,), jnp.bfloat16)
    assert jax.eval_shape(lambda x: run(None, x, key=KEY), x).dtype == jnp.float32


def test_pictures_are_compared_pixel_by_pixel():
    x = np.random.default_rng(0).normal(size=(6, 6, 2))
    maps = lambda x: [
        _kinds.to_map(a, x, "image") for a in (x, x.sum(-1), x[::2, ::2, 0])
    ]
    channels, pixels, small = jax.jit(maps)(x)
    assert_close(channels, pixels)
    assert small.shape == pixels.shape == (6, 6)
    assert tuple(_controls.controls("image")) == (
        "random order",
        "input itself",
        "edges",
    )


def wrong(**given):
    given = {"explainers": {"own": lambda x: x}, "xs": XS, "key": KEY} | given
    return evidence.evaluate(f, given.pop("explainers"), given.pop("xs"), **given)


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        ({"explainers": {}}, TypeError, "one at least"),
        ({"explainers": {"own": 3}}, TypeError, "map names to functions"),
        (
            {"explainers": {"edges": abs}, "xs": XS[:, :, None, None]},
            ValueError,
            "cont",
        ),
        ({"masks": XS[:4]}, ValueError, "same number of examples"),
        ({"masks": XS[:, :3], "explainers": {"own": None.__eq__}}, ValueError, "mask"),
        ({"num_perturbed": 0}, ValueError, "`num_perturbed` must be at least 1"),
        ({"steps": 0}, ValueError, "`steps` must be at least 1"),
        ({"params": PARAMS}, TypeError, "come together"),
        ({"only": ["deletion"]}, ValueError, "needs `baseline`"),
        ({"only": ["delition"]}, ValueError, "Did you mean 'deletion'"),
        ({"only": []}, ValueError, "at least"),
        ({"kind": "image"}, ValueError, "axes"),
        ({"explainers": {"own": lambda x: x[:2]}}, ValueError, "`attribution` must"),
        ({"key": None}, TypeError, "`key` is missing"),
        ({"xs": XS.astype(int)}, TypeError, "floating-point"),
    ],
)
def test_wrong_arguments_are_refused(given, error, says):
    with pytest.raises(error, match=says):
        wrong(**given)


def test_an_error_names_the_explainer():
    with pytest.raises(ValueError, match="attribution") as raised:
        wrong(explainers={"fine": lambda x: x, "short": lambda x: x[:2]})
    assert "'short'" in "".join(raised.value.__notes__)
