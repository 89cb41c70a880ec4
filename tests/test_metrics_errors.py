"""Errors of the metrics of faithfulness: raised while tracing, in three parts."""

from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from jaxplain import baselines, metrics

KEY = jr.key(0)
X = jnp.array([1.0, 2.0, 3.0])
IMAGE = jnp.ones((4, 4, 3))
ZERO = {"baseline": 0.0}


def raises(error, message, run):
    with pytest.raises(error) as caught:
        run()
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "make",
    [
        metrics.deletion,
        metrics.insertion,
        metrics.pixel_flipping,
        metrics.region_perturbation,
        metrics.road,
    ],
)
def test_the_order_is_one_of_two(make):
    raises(
        ValueError,
        "`order` must be one of 'highest', 'lowest', but is 'lowset'. Did you mean "
        "'lowest'?",
        lambda: make(jnp.sum, order="lowset"),
    )


@pytest.mark.parametrize("values", [(), (0.0, 0.5), (0.5, 1.1), 0.5, ("a",), (np.nan,)])
@pytest.mark.parametrize(
    "make", [metrics.comprehensiveness, metrics.sufficiency, metrics.road]
)
def test_fractions_are_shares(make, values):
    raises(
        ValueError,
        "`fractions` must be several numbers above 0 and at most 1, but is "
        f"{values!r}. Pass shares of the features, for example `(0.1, 0.5)`.",
        lambda: make(jnp.sum, fractions=values),
    )


def test_the_fractions_of_a_curve_rise():
    raises(
        ValueError,
        "`fractions` must rise, but is (0.5, 0.1). Sort them, so that there is a "
        "curve.",
        lambda: metrics.road(jnp.sum, fractions=(0.5, 0.1)),
    )


GROUPED = {
    "deletion": partial(metrics.deletion, num_groups=2),
    "region_perturbation": partial(metrics.region_perturbation, num_groups=2),
    "sufficiency": partial(metrics.sufficiency, num_groups=2),
    "monotonicity": partial(metrics.monotonicity, num_groups=2),
    "non_sensitivity": partial(metrics.non_sensitivity, num_groups=2),
}


@pytest.mark.parametrize("name", GROUPED)
def test_groups_and_their_number_come_together(name):
    measure = GROUPED[name](jnp.sum)
    with pytest.raises(TypeError, match=f"`groups` is missing: {name} was made with"):
        measure(X, attribution=X, **ZERO)
    measure = getattr(metrics, name)(jnp.sum)
    with pytest.raises(ValueError, match=f"{name} was made without `num_groups`"):
        measure(X, attribution=X, groups=np.array([0, 1, 1]), **ZERO)


def test_labels_are_in_range():
    measure = GROUPED["deletion"](jnp.sum)
    with pytest.raises(ValueError, match="must hold labels from 0 to 1 for 2 groups"):
        measure(X, attribution=X, groups=np.array([0, 1, 2]), **ZERO)


def test_an_attribution_fits_the_groups_or_the_input():
    measure = partial(GROUPED["deletion"](jnp.sum), groups=np.array([0, 1, 1]), **ZERO)
    raises(
        ValueError,
        "`attribution` must have one entry per group, shape (2,), or the shape of `x`, "
        "float64[3], or of its leading axes, but is float64[4]. Pass what an explainer "
        "made with `num_groups` returned, or one entry per feature.",
        lambda: measure(X, attribution=jnp.ones(4)),
    )


def test_an_attribution_tells_groups_apart():
    labels = np.arange(48).reshape(4, 4, 3) % 2
    measure = partial(GROUPED["deletion"](jnp.sum), groups=labels, **ZERO)
    raises(
        ValueError,
        "`attribution` must tell the features of a group from others, but is "
        "float64[4,4] where `groups` is int64[4,4,3]. Pass one entry per group, or per "
        "feature.",
        lambda: measure(IMAGE, attribution=jnp.ones((4, 4))),
    )


def test_no_more_regions_go_than_there_are():
    measure = metrics.region_perturbation(jnp.sum, num_removed=4)
    raises(
        ValueError,
        "`num_removed` must be at most the number of regions, 3, but is 4. Leave it "
        "out to remove all of them.",
        lambda: measure(X, attribution=X, **ZERO),
    )


def test_subsets_are_smaller_than_the_input():
    measure = metrics.faithfulness_correlation(jnp.sum, subset_size=3)
    raises(
        ValueError,
        "`subset_size` must be below the number of features, 3, but is 3: subsets must "
        "differ. Take a smaller one.",
        lambda: measure(X, attribution=X, key=KEY, **ZERO),
    )


@pytest.mark.parametrize(
    ("name", "make"),
    {
        "steps": lambda n: metrics.deletion(jnp.sum, steps=n),
        "num_groups": lambda n: metrics.insertion(jnp.sum, num_groups=n),
        "num_removed": lambda n: metrics.region_perturbation(jnp.sum, num_removed=n),
        "num_samples": lambda n: metrics.infidelity(
            jnp.sum, draw=metrics.gaussian(1.0), num_samples=n
        ),
        "subset_size": lambda n: metrics.faithfulness_correlation(
            jnp.sum, subset_size=n
        ),
        "chunk_size": lambda n: metrics.road(jnp.sum, chunk_size=n),
        "size": lambda n: metrics.squares(n),
    }.items(),
)
def test_counts_are_at_least_one(name, make):
    with pytest.raises(ValueError, match=f"`{name}` must be at least 1, but is 0"):
        make(0)


@pytest.mark.parametrize(
    ("name", "make"),
    {
        "std": lambda: metrics.road(jnp.sum, std=-1.0),
        "tolerance": lambda: metrics.non_sensitivity(jnp.sum, tolerance=-1.0),
        "std of a fill": lambda: baselines.noisy_linear(
            KEY, IMAGE, np.ones((4, 4)), std=-1.0
        ),
    }.items(),
)
def test_deviations_and_tolerances_are_not_negative(name, make):
    with pytest.raises(ValueError, match=f"`{name.split()[0]}` must be a non-negative"):
        make()


def test_a_probability_is_at_most_one():
    with pytest.raises(ValueError, match=r"must be at most 1, but is 1\.5"):
        metrics.to_baseline(1.5)


# Infidelity.


def judged_by(draw, x=X, attribution=X):
    measure = metrics.infidelity(lambda x: jnp.sum(x), draw=draw, num_samples=2)
    return lambda: jax.eval_shape(partial(measure, key=KEY), x, attribution=attribution)


def test_an_attribution_that_is_multiplied_has_every_entry():
    raises(
        ValueError,
        "`attribution` must have the shape of `x`, float64[4,4,3], but is "
        "float64[4,4]. Stretch the map of a layer with `jaxplain.cam.upsample`, and "
        "divide the value of a pixel among its channels.",
        judged_by(metrics.gaussian(1.0), IMAGE, jnp.ones((4, 4))),
    )


def test_a_draw_says_what_it_changed():
    raises(
        TypeError,
        "`draw` must return a `metrics.Perturbed`, but returned float64[3]. Return the "
        "changed input and what the attribution is multiplied with, for example "
        "`Perturbed(x - noise, noise)`.",
        judged_by(lambda x, key: x),
    )
    raises(
        ValueError,
        "`draw` must return a `change` of the shape of `x`, float64[3], but returned "
        "float64[2]. Broadcast it to that shape.",
        judged_by(lambda x, key: metrics.Perturbed(x, x[:2])),
    )


def test_a_square_fits_into_the_image():
    with pytest.raises(ValueError, match=r"`size` must fit into `x`.*is \(5, 5\)"):
        metrics.squares(5)(IMAGE, KEY, baseline=0.0)


# Images.


@pytest.mark.parametrize("attribution", [jnp.ones((4, 3)), jnp.ones(4), {"a": IMAGE}])
def test_a_map_of_pixels_fits_the_image(attribution):
    with pytest.raises(
        ValueError, match=r"one entry per pixel, shape \(4, 4\), or per channel"
    ):
        metrics.road(jnp.sum)(IMAGE, attribution=attribution, key=KEY)


def test_an_image_has_channels_and_its_mask_has_not():
    with pytest.raises(ValueError, match="`image` must have channels last"):
        metrics.road(jnp.sum)(X, attribution=X, key=KEY)
    with pytest.raises(ValueError, match="`present` must have one entry per pixel"):
        baselines.noisy_linear(KEY, IMAGE, jnp.ones((4, 4, 3)))
    with pytest.raises(TypeError, match="`key` is missing"):
        baselines.noisy_linear(None, IMAGE, jnp.ones((4, 4)))
