"""Published numbers of the same problems.

From the results that come with Enguehard (2023), *Time Interpret*, arXiv:2306.02968,
means over five folds, with their standard deviations where they were at hand.
ExtremalMask is by the same author, *Learning Perturbations to Explain Time Series
Predictions*, arXiv:2305.18840.
"""

ADDITIVE = (
    "area_under_precision",
    "area_under_recall",
    "information",
    "entropy",
)
STATES = ("area_under_precision", "area_under_recall", "roc_auc", "average_precision")

# By problem, by the name of the row that it stands beside.
TABLES: dict[str, dict[str, dict[str, float]]] = {
    "rare features": {
        name: dict(zip(ADDITIVE, values, strict=True))
        for name, values in {
            "Integrated gradients": (1.000, 0.1345, 463.8, 494.0),
            "Occlusion by the mean": (1.000, 0.1336, 461.7, 489.6),
            "Permutation": (1.000, 0.1627, 541.3, 579.2),
            "Mask, to a blur": (0.957, 0.656, 6417.0, 219.2),
            "ExtremalMask": (0.992, 0.756, 12630.0, 45.7),
        }.items()
    },
    "rare times": {
        name: dict(zip(ADDITIVE, values, strict=True))
        for name, values in {
            "Integrated gradients": (1.000, 0.1252, 442.7, 468.5),
            "Mask, to a blur": (0.903, 0.652, 3796.0, 480.1),
            "ExtremalMask": (0.993, 0.820, 15118.0, 12.5),
        }.items()
    },
    "states": {
        name: dict(zip(STATES, values, strict=True))
        for name, values in {
            "Integrated gradients": (0.918, 0.454, 0.936, 0.909),
            "DeepLIFT": (0.920, 0.454, 0.938, 0.912),
            "LIME": (0.932, 0.438, 0.937, 0.912),
            "GradientSHAP": (0.849, 0.414, 0.852, 0.798),
            "Mask, to a blur": (0.711, 0.763, 0.876, 0.695),
            "ExtremalMask": (0.885, 0.781, 0.910, 0.883),
            "FIT": (0.421, 0.549, 0.711, 0.464),
        }.items()
    },
}

# Standard deviations over folds, of integrated gradients.
DEVIATIONS = {
    "rare features": {"area_under_recall": 0.0043, "information": 15.0, "entropy": 8.1},
    "rare times": {"area_under_recall": 0.0045, "information": 16.0, "entropy": 11.3},
    "states": {
        "area_under_precision": 0.019,
        "area_under_recall": 0.011,
        "roc_auc": 0.020,
        "average_precision": 0.025,
    },
}
