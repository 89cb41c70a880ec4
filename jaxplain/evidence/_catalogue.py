"""Which metrics the evidence holds, and what each of them cannot tell."""

from .. import metrics
from ._measures import (
    Measure,
    correlation,
    infidelity,
    judge,
    of_map,
    of_mask,
    relative_gap,
)

BASELINE, MASKS = frozenset({"baseline"}), frozenset({"masks"})
UNLIKE = (
    "Inputs with some features removed are unlike any that the model has seen: it may "
    "answer to the holes. Only the order of the features counts."
)
PLACE = (
    "Whether the model uses what is inside the mask: a map can be outside because the "
    "model is wrong."
)
SIMPLE = "Nothing of whether the map is right: a single random entry is the simplest."

MEASURES = (
    Measure(
        "relative_gap",
        "completeness gap",
        "lower",
        BASELINE | {"explainer"},
        "relative_gap",
        "Whether any feature has its share: rescaling a map closes the gap. It is "
        "relative to f(x) - f(baseline), and large where that is small.",
        relative_gap,
    ),
    Measure(
        "deletion",
        "deletion",
        "lower",
        BASELINE,
        "deletion",
        UNLIKE,
        judge(
            lambda s: metrics.deletion(s.f, steps=s.steps, chunk_size=s.chunk_size),
            "baseline",
        ),
    ),
    Measure(
        "insertion",
        "insertion",
        "higher",
        BASELINE,
        "insertion",
        UNLIKE,
        judge(
            lambda s: metrics.insertion(s.f, steps=s.steps, chunk_size=s.chunk_size),
            "baseline",
        ),
    ),
    Measure(
        "road",
        "ROAD",
        "lower",
        frozenset({"image"}),
        "road",
        "Whether the imputed picture is likely: neighbours fill small holes well, and "
        "large ones with a blur.",
        judge(lambda s: metrics.road(s.f, chunk_size=s.chunk_size), "key"),
    ),
    Measure(
        "comprehensiveness",
        "comprehensiveness",
        "higher",
        BASELINE,
        "comprehensiveness",
        UNLIKE,
        judge(
            lambda s: metrics.comprehensiveness(s.f, chunk_size=s.chunk_size),
            "baseline",
        ),
    ),
    Measure(
        "sufficiency",
        "sufficiency",
        "lower",
        BASELINE,
        "sufficiency",
        UNLIKE,
        judge(lambda s: metrics.sufficiency(s.f, chunk_size=s.chunk_size), "baseline"),
    ),
    Measure(
        "faithfulness_correlation",
        "faithfulness correlation",
        "higher",
        BASELINE,
        "faithfulness_correlation",
        "Anything about features that matter only together: it compares sums of "
        "attributions with what removing random sets changes. Its own noise is large.",
        correlation,
        shares=True,
    ),
    Measure(
        "infidelity",
        "infidelity",
        "lower",
        BASELINE,
        "infidelity",
        "Which features matter when less than a square of them is gone. The scale is "
        "fitted, so the sizes of the attributions are not judged.",
        infidelity,
        shares=True,
    ),
    Measure(
        "max_sensitivity",
        "max sensitivity",
        "lower",
        frozenset({"explainer"}),
        "max_sensitivity",
        "Whether the map is right: a constant map is stable. Worse inputs may be near.",
        None,
    ),
    *(
        Measure(name, title, "higher", MASKS, "of the map", PLACE, make)
        for name, title, make in (
            (
                "pointing_game",
                "pointing game",
                of_mask(lambda a, m: metrics.pointing_game(a, m)),
            ),
            (
                "relevance_mass",
                "relevance mass",
                of_mask(lambda a, m: metrics.relevance_mass(a, m)),
            ),
            (
                "relevance_rank",
                "relevance rank",
                of_mask(lambda a, m: metrics.relevance_rank(a, m)),
            ),
            ("roc_auc", "ROC AUC", of_mask(lambda a, m: metrics.roc_auc(a, m))),
        )
    ),
    Measure(
        "sparseness",
        "sparseness",
        "neither",
        frozenset(),
        "of the map",
        SIMPLE,
        of_map(lambda a: metrics.sparseness(a)),
    ),
    Measure(
        "entropy",
        "entropy",
        "neither",
        frozenset(),
        "of the map",
        SIMPLE,
        of_map(lambda a: metrics.entropy(a)),
    ),
)
