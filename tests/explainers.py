"""Every explainer and every combinator, once: one line here inherits every law."""

import functools
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import jaxplain as jx
from jaxplain import cam, testing

KEY = jr.key(7)
NUM_BASELINES = 5


class Case(NamedTuple):
    """An explainer, what its call needs, and what it promises.

    Attributes:
        name: How a test calls it.
        make: `make(f, **options)` returns the explainer.
        needs: Which keywords its call takes: `baseline`, `stack` (of baselines),
            `key`, `attribution`.
        samples: How many evaluations `chunk_size` divides; 0 where it takes none.
        axioms: Promises beyond the laws of JAX; see `test_axioms.py`.
        like_x: Is the explanation shaped like `x`?
        random: Does another key give another answer?
        grouped: Does it take `groups`?
        noise: Is noise drawn leaf by leaf, so that the structure of `x` matters?
        traces: How often one call traces `f`.
        slow: Is it so like another that its laws can wait for `make test-slow`?
    """

    name: str
    make: Callable[..., Callable[..., Any]]
    needs: frozenset[str] = frozenset()
    samples: int = 0
    axioms: frozenset[str] = frozenset()
    like_x: bool = True
    random: bool = False
    grouped: bool = False
    noise: bool = False
    traces: int = 1
    slow: bool = False

    def given(self, x: Any, key: Any = KEY) -> dict[str, Any]:
        """The keywords of a call: fixed baselines and attributions, shaped like `x`."""

        def filled(value: float) -> Any:
            return jax.tree.map(lambda leaf: jnp.full_like(leaf, value), x)

        def ranked(leaf: Any) -> Any:
            order = np.cos(3.0 * np.arange(leaf.size) + leaf.ndim)
            return leaf + jnp.asarray(order.reshape(leaf.shape), leaf.dtype)

        given: dict[str, Any] = {}
        if "baseline" in self.needs:
            given["baseline"] = filled(-0.25)
        if "stack" in self.needs:
            several = map(filled, np.linspace(-1.1, 0.6, NUM_BASELINES))
            given["baseline"] = jax.tree.map(lambda *rows: jnp.stack(rows), *several)
        if "attribution" in self.needs:
            given["attribution"] = jax.tree.map(ranked, x)
        if "key" in self.needs:
            given["key"] = key
        return given

    @property
    def refs(self) -> dict[str, Any]:
        """The keywords of a call, for `jaxplain.testing` to draw."""
        drawn = {
            "baseline": {"baseline": testing.LIKE_X},
            "stack": {"baseline": testing.STACK},
            "attribution": {"attribution": testing.LIKE_X},
            "key": {"key": testing.KEY},
        }
        return {k: v for need in sorted(self.needs) for k, v in drawn[need].items()}

    def __repr__(self) -> str:
        return self.name


def words(line: str) -> frozenset[str]:
    return frozenset(line.split())


def rise(f, **options):
    """Random masks, weighed by the value of `f` where they leave the input."""

    def draw(x, *args, key, baseline):
        leaves, treedef = jax.tree.flatten(x)
        coins = jr.bernoulli(key, 0.5, (sum(leaf.size for leaf in leaves),))
        parts = jnp.split(coins, np.cumsum([leaf.size for leaf in leaves])[:-1])
        mask = treedef.unflatten(
            [c.reshape(a.shape).astype(a.dtype) for c, a in zip(parts, leaves)]
        )
        value = jx.game(f, x, *args, baseline=baseline)(mask)
        return jax.tree.map(lambda m: m * value.astype(m.dtype), mask)

    return jx.monte_carlo(draw, num_samples=8, **options)


def head_ig(f, **options):
    """Integrated gradients of what follows a layer, at that layer."""

    def explain(x, *args):
        features, head = jx.cut(f, x, *args, at="features")
        explain_head = jx.integrated_gradients(head, steps=8, **options)
        return explain_head(features, baseline=0.0)

    return explain


def surrogate(f, **options):
    """All that is known of a surrogate, but the number of its evaluations."""
    fit = jx.surrogate(f, num_samples=14, **options)
    return lambda *args, **refs: tuple(fit(*args, **refs)[:4])


def curved_ig(f, **options):
    """Integrated gradients along a line that is walked unevenly."""

    def path(t, x, baseline):
        return jax.tree.map(lambda a, b: b + t**2 * (a - b), x, baseline)

    return jx.paths.along(f, path, steps=8, **options)


def with_all(f, **options):
    """The row sums of integrated Hessians."""
    explain = jx.paths.interactions_with(f, **options)
    return partial(explain, mask=1.0)


def owen_values(f, **options):
    """Every two entries of the input form a union."""

    def explain(x, *args, **refs):
        number = sum(leaf.size for leaf in jax.tree.leaves(x))
        unions = np.arange(number) // 2
        return jx.owen_values(f, unions=unions, **options)(x, *args, **refs)

    return explain


def smooth(explain, **options):
    return jx.smooth(explain, std=0.1, **{"num_samples": 8, **options})


at_features = lambda make: partial(make, at="features")
at_two = partial(cam.over_layers, jx.grad_cam, at=["features", "features"])
ig = partial(jx.integrated_gradients, steps=8)
guided = lambda f: jx.saliency(jx.rules.guided(f))
lrp_gamma = lambda f: jx.rules.lrp(f, jx.rules.gamma())
deconvolution = lambda f: jx.saliency(jx.rules.deconvolution(f))
expected_ig = lambda f, **options: jx.expected(ig(f), **options)
deep_shap = lambda f, **options: jx.expected(jx.rules.deep_lift(f), **options)
expected_shap = lambda f, **options: jx.expected(jx.kernel_shap(f), **options)
smooth_saliency = lambda f, **options: smooth(jx.saliency(f), **options)
smooth_expected = lambda f, **options: smooth(expected_ig(f), **options)
expected_smooth = lambda f, **options: jx.expected(
    smooth(ig(f, chunk_size=3), num_samples=3), **options
)

FOR_BASELINE, FOR_STACK = words("baseline"), words("stack")
TO_DRAW, TO_DRAW_FOR_STACK = words("baseline key"), words("stack key")
TO_RANK = words("attribution baseline")

SAMPLED = words("linear invariant")
GRADIENT = SAMPLED | words("dummy")
LINE = GRADIENT | words("symmetric affine")
SHAPLEY = LINE | words("complete")
COMPLETE = words("complete")
LINE_BUT_NAMES = LINE - words("symmetric")  # unions tell features apart
LIFTED = SHAPLEY - words("invariant")  # a product of three depends on its brackets

CASES = [
    Case("saliency", jx.saliency, axioms=GRADIENT | words("symmetric")),
    Case("input_x_gradient", jx.input_x_gradient, axioms=GRADIENT | words("symmetric")),
    Case("integrated_gradients", ig, FOR_BASELINE, 8, LINE | COMPLETE),
    Case("occlusion", jx.occlusion, FOR_BASELINE, 7, LINE, grouped=True),
    Case("kernel_shap", jx.kernel_shap, TO_DRAW, 64, SHAPLEY, grouped=True, slow=True),
    Case(
        "kernel_shap_sampled",
        partial(jx.kernel_shap, num_samples=28),
        TO_DRAW,
        30,
        SAMPLED | COMPLETE | words("affine"),
        random=True,
        grouped=True,
    ),
    Case(
        "lime",
        partial(jx.lime, num_samples=14),
        TO_DRAW,
        14,
        SAMPLED | words("affine"),
        random=True,
        grouped=True,
    ),
    Case("smooth", smooth_saliency, words("key"), 8, GRADIENT, random=True, noise=True),
    Case("expected_ig", expected_ig, FOR_STACK, NUM_BASELINES, LINE | COMPLETE),
    Case("rise", rise, TO_DRAW, 8, SAMPLED | words("affine"), random=True),
    Case("guided", guided),
    Case("deep_lift", jx.rules.deep_lift, FOR_BASELINE, axioms=LIFTED),
    Case("lrp", jx.rules.lrp, axioms=words("symmetric dummy")),
    Case("grad_cam", partial(jx.grad_cam, at="features"), like_x=False),
    Case("eigen_grad_cam", at_features(cam.eigen_grad_cam), like_x=False, slow=True),
    Case(
        "ablation_cam",
        at_features(cam.ablation_cam),
        samples=3,
        like_x=False,
        slow=True,
    ),
    Case(
        "completeness_gap",
        jx.metrics.completeness_gap,
        TO_RANK,
        like_x=False,
        traces=2,
    ),
    Case(
        "deletion",
        partial(jx.metrics.deletion, steps=7),
        TO_RANK,
        8,
        like_x=False,
    ),
]

# Compositions and other options of the above: the laws that hardly compile, and every
# axiom.
VARIANTS = [
    Case(
        "adaptive_ig",
        partial(jx.paths.adaptive_ig, max_nodes=33),
        FOR_BASELINE,
        axioms=LINE | COMPLETE,
        traces=2,
        slow=True,
    ),
    Case("curved_ig", curved_ig, FOR_BASELINE, 8, LINE, slow=True),
    Case(
        "guided_ig",
        partial(jx.paths.guided_ig, steps=8),
        FOR_BASELINE,
        axioms=words("dummy symmetric"),
        slow=True,
    ),
    Case(
        "expected_gradients",
        partial(jx.paths.expected_gradients, num_samples=8),
        TO_DRAW_FOR_STACK,
        8,
        GRADIENT | words("affine"),
        random=True,
        slow=True,
    ),
    Case("interactions_with", with_all, FOR_BASELINE, 8, LINE, traces=2, slow=True),
    Case(
        "gp_shap",
        partial(jx.gp_shap, num_samples=28),
        TO_DRAW,
        30,
        words("invariant complete affine"),
        random=True,
        grouped=True,
    ),
    Case("shapley_values", jx.shapley_values, FOR_BASELINE, 64, SHAPLEY, grouped=True),
    Case(
        "banzhaf_values",
        jx.banzhaf_values,
        FOR_BASELINE,
        64,
        LINE,
        grouped=True,
        slow=True,
    ),
    Case(
        "owen_values",
        owen_values,
        FOR_BASELINE,
        48,
        LINE_BUT_NAMES | COMPLETE,
        slow=True,
    ),
    *(
        Case(
            make.__name__,
            partial(make, num_samples=28),
            TO_DRAW,
            30,
            SAMPLED | COMPLETE | words("affine"),
            random=True,
            grouped=True,
            slow=True,
        )
        for make in (jx.leverage_shap, jx.msr_shap, jx.permutation_shap)
    ),
    Case(
        "sobol",
        partial(jx.perturbations.sobol, num_designs=3),
        TO_DRAW,
        24,
        words("dummy invariant affine"),
        random=True,
        grouped=True,
    ),
    Case(
        "hsic",
        partial(jx.perturbations.hsic, num_samples=14),
        TO_DRAW,
        14,
        words("invariant affine"),
        random=True,
        grouped=True,
        slow=True,
    ),
    Case(
        "occlusion_of_windows",
        partial(jx.occlusion, window=2, stride=1),
        FOR_BASELINE,
        6,
        words("linear invariant affine"),
        slow=True,
    ),
    Case(
        "rise_on_a_grid",
        partial(jx.perturbations.rise, num_samples=8, grid=3),
        TO_DRAW,
        8,
        words("linear invariant affine"),
        random=True,
        slow=True,
    ),
    Case("expected_shap", expected_shap, TO_DRAW_FOR_STACK, NUM_BASELINES, SHAPLEY),
    Case("head_ig", head_ig, samples=8, like_x=False),
    Case("deep_shap", deep_shap, FOR_STACK, NUM_BASELINES, LIFTED),
    Case("multipliers", jx.rules.multipliers, FOR_BASELINE, axioms=words("dummy")),
    Case("lrp_gamma", lrp_gamma, axioms=words("dummy")),
    Case("deconvolution", deconvolution),
    Case(
        "smooth_of_expected",
        smooth_expected,
        TO_DRAW_FOR_STACK,
        8,
        GRADIENT,
        random=True,
        noise=True,
    ),
    Case(
        "expected_of_smooth",
        expected_smooth,
        TO_DRAW_FOR_STACK,
        NUM_BASELINES,
        GRADIENT,
        random=True,
        noise=True,
    ),
    *(
        Case(f"ig_{rule}", partial(ig, rule=rule), FOR_BASELINE, 8, LINE)
        for rule in ("riemann_left", "riemann_right", "riemann_middle", "trapezoid")
    ),
    Case(
        "lime_without_ridge",
        partial(jx.lime, num_samples=14, ridge=0.0),
        TO_DRAW,
        14,
        SAMPLED | words("affine"),
        random=True,
        grouped=True,
    ),
    Case(
        "lime_local",
        partial(jx.lime, num_samples=14, sampling="local", distance="euclidean"),
        TO_DRAW,
        14,
        SAMPLED | words("affine"),
        random=True,
        grouped=True,
        slow=True,
    ),
    Case(
        "lime_of_few",
        partial(jx.lime, num_samples=14, num_features=3, selection="forward"),
        TO_DRAW,
        14,
        random=True,
        grouped=True,
        slow=True,
    ),
    Case("surrogate", surrogate, TO_DRAW, 14, like_x=False, random=True, grouped=True),
    Case("grad_cam_plus_plus", at_features(cam.grad_cam_plus_plus), like_x=False),
    Case("xgrad_cam", at_features(cam.xgrad_cam), like_x=False),
    Case("hires_cam", at_features(cam.hires_cam), like_x=False),
    Case("layer_cam", at_features(cam.layer_cam), like_x=False),
    Case("eigen_cam", at_features(cam.eigen_cam), like_x=False),
    Case(
        "score_cam", at_features(cam.score_cam), FOR_BASELINE, 2, like_x=False, traces=2
    ),
    Case("guided_grad_cam", at_features(cam.guided_grad_cam), traces=2),
    Case("full_grad", partial(cam.full_grad, at=["features"]), like_x=False),
    Case("full_gradients", partial(cam.full_gradients, at=["features"]), like_x=False),
    Case("cam_over_layers", at_two, like_x=False, traces=2),
    Case(
        "insertion",
        partial(jx.metrics.insertion, steps=7),
        TO_RANK,
        8,
        like_x=False,
    ),
]


def having(flag, among=CASES):
    """Run a test for each explainer of which `flag(case)` holds."""
    chosen = [_param(case, name=case.name) for case in among if flag(case)]
    return pytest.mark.parametrize("case", chosen)


def _param(case, *rest, name):
    marks = [pytest.mark.slow] if case.slow else []
    return pytest.param(case, *rest, id=name, marks=marks)


def in_one_or_several_chunks(among=CASES):
    """Run a test for each explainer, and again in chunks where it takes them."""
    whole = [_param(case, {}, name=case.name) for case in among]
    chunked = [
        _param(case, {"chunk_size": 3}, name=f"{case.name}_in_chunks")
        for case in among
        if case.samples
    ]
    return pytest.mark.parametrize(("case", "options"), whole + chunked)


# A program that runs once is not worth optimising: it starts four times as soon.
OPTIONS = {
    "xla_backend_optimization_level": 0,
    "xla_llvm_disable_expensive_passes": True,
    "xla_cpu_use_fusion_emitters": False,
    "xla_cpu_parallel_codegen_split_count": 1,  # the tests use every core already
}
quick_jit = partial(jax.jit, compiler_options=OPTIONS)

INTO_HIDDEN = np.array([[1.0, -0.5], [-0.5, 0.75]])
OUT_OF_HIDDEN = np.array([0.5, -1.0])
# Each column makes one of the scores, of all the features.
LEFT = np.array([[1.0, 0.5], [-1.5, 1.0], [0.5, -1.0], [1.0, 0.25], [0.5, 1], [2, -1]])
RIGHT = LEFT[::-1] / 2


def f(x, scale, label):
    """A small network: a layer with a name, ReLUs, interactions, and two scores.

    Of few operations, since most of a law's time goes to tracing and compiling them.
    """
    features = jx.tap(jnp.stack([x, x * x], -1), "features")
    hidden = jax.nn.relu(features @ jnp.asarray(INTO_HIDDEN, x.dtype))
    y = x + hidden @ jnp.asarray(OUT_OF_HIDDEN, x.dtype)
    left, right = (y @ jnp.asarray(side, x.dtype) for side in (LEFT, RIGHT))
    return (left * jnp.tanh(scale * right))[label]


def examples(number=1, dtype=jnp.float64):
    """Fixed inputs, one per row, none of them near a kink of `f`."""
    return jr.normal(jr.key(1), (number, 6), jnp.float64).astype(dtype)


@functools.cache
def explain_of(case):
    """`case.make`, compiled once for each function, for all the laws of a file."""
    return functools.cache(lambda f, **options: quick_jit(case.make(f, **options)))


def compiled(case):
    return explain_of(case)(f)


def explain(case, x, key=KEY):
    return compiled(case)(x, 2.0, 1, **case.given(x, key))
