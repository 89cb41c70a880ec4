"""What the `lime` package does with a small table: facts for `tests/test_tables*.py`.

    python -P tests/benchmarks/lime_tables.py > tests/facts_tables.json

Needs `lime` 0.2.0.1 in an environment of its own, and nothing of ours; `-P`, because a
neighbour of this file is called `lime` too. The neighbourhood that the package draws,
how it weighs it, and the model that it fits are written down.
"""

import json
import sys

import numpy as np
from lime.lime_tabular import LimeTabularExplainer

NUM_TRAINING, NUM_SAMPLES = 24, 20
CATEGORICAL = [3]


def training():
    rng = np.random.RandomState(0)
    columns = [
        rng.normal(10.0, 3.0, NUM_TRAINING),
        rng.exponential(2.0, NUM_TRAINING),
        rng.poisson(0.7, NUM_TRAINING),  # half of its quartiles coincide
        rng.randint(3, size=NUM_TRAINING),
    ]
    return np.round(np.stack(columns, 1), 2)


def f(rows):
    """Something with interactions; the facts hold its values."""
    return np.tanh(rows[:, 0] / 10) * rows[:, 1] + rows[:, 2] * (rows[:, 3] == 1)


def facts(row, **options):
    table, seen = training(), {}
    explainer = LimeTabularExplainer(
        table,
        mode="regression",
        categorical_features=CATEGORICAL,
        feature_selection="none",
        random_state=0,
        **options,
    )
    fit = explainer.base.explain_instance_with_data

    def spy(features, values, distances, *rest, **more):
        found = fit(features, values, distances, *rest, **more)
        beta = np.zeros(table.shape[1])
        for j, weight in found[1]:
            beta[j] = weight
        seen.update(
            features=features,
            values=values[:, 0],
            kernel=explainer.base.kernel_fn(distances),
            intercept=found[0],
            weights=beta,
            r2=found[2],
        )
        return found

    def model(rows):
        seen["rows"] = rows
        return f(rows)

    explainer.base.explain_instance_with_data = spy
    explainer.explain_instance(row, model, num_samples=NUM_SAMPLES)
    cut = explainer.discretizer
    if cut is not None:
        seen["frequency"] = list(explainer.feature_frequencies.values())
        for name in ("mins", "maxs", "means", "stds", "names"):
            seen[name] = list(getattr(cut, name).values())
    else:
        seen["mean"], seen["scale"] = explainer.scaler.mean_, explainer.scaler.scale_
    return seen


def main():
    row = training()[5]
    found = {
        "about": "lime 0.2.0.1, by tests/benchmarks/lime_tables.py",
        "training": training(),
        "categorical": CATEGORICAL,
        "row": row,
        "discretised": facts(row),
        "continuous": facts(row, discretize_continuous=False),
    }
    plain = lambda value: np.asarray(value).tolist()
    json.dump(found, sys.stdout, default=plain)
    print()


if __name__ == "__main__":
    main()
