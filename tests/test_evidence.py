"""An evaluation measures all explainers alike, and says what it found."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_close

import jaxplain as jx
from jaxplain import evidence, metrics
from jaxplain.evidence import _kinds, _programs, _rows, _stages, _valid
from jaxplain.evidence._measures import MEASURES, Settings

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

        only = ["faithfulness_correlation"]
        evidence.evaluate(f, maps, XS, key=KEY, baseline=0.0, only=only)
        return sum(sizes)

    one = {"a": lambda x: x}
    assert evaluations(one) == evaluations(one | {"b": lambda x: -x}) > 0


def test_what_lacks_its_input_is_left_out():
    able = lambda *given: {
        m.name for m in _valid.choose(None, _stages.available(*given), MEASURES)
    }
    assert able("table", None, None) == {"max_sensitivity", "sparseness", "entropy"}
    assert able("image", None, None) - able("table", None, None) == {"road"}
    assert "deletion" in able("table", 0.0, None) - able("table", None, None)
    assert "roc_auc" in able("table", None, XS > 0) - able("table", None, None)


@pytest.mark.parametrize("shape", [(5,), (6, 3), (8, 8, 2)])
def test_every_metric_can_be_traced_for_every_kind_of_data(shape):
    """Nothing is compiled: that the metrics are called as they want to be."""
    xs = jnp.ones((2, *shape))
    kind = _kinds.kind_of(xs[0], None)
    maps = jax.vmap(lambda x: _kinds.to_map(x, x, kind))(xs)
    settings = Settings(jnp.sum, 4, 8, 2, 0.1, 4)
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


def test_pictures_are_compared_pixel_by_pixel():
    xs = np.random.default_rng(0).normal(size=(13, 6, 6, 2))
    maps = {
        "channels": lambda x: x,
        "pixels": lambda x: x.sum(-1),
        "small": lambda x: x[::2, ::2, 0],
    }
    only = ["sparseness"]
    of = evidence.evaluate(lambda x: x.sum(), maps, xs, key=KEY, only=only)
    assert of.kind == "image"
    assert {a.shape for a in of.attributions.values()} == {(13, 6, 6)}
    assert_close(of.attributions["channels"], of.attributions["pixels"])
    assert of.controls == ("random order", "input itself", "edges")


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
