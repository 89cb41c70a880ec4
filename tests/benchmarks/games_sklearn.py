"""Games of scikit-learn's models, made by a Python that has it, and no JAX.

    python -m tests.benchmarks.games_sklearn FOLDER --instances 20

Leaves `sklearn.npz`, to be read by `games.load`, and `digits.npz` with the images that
the networks are trained on. Models are trained on one part of the data, from which the
background of absent columns comes; the rows to explain are of the other part.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn import datasets, ensemble, neural_network, preprocessing, tree

from . import games


def rows(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
    """Shuffled; the last third is held out."""
    order = np.random.default_rng(0).permutation(len(x))
    x, y, cut = x[order], y[order], 2 * len(x) // 3
    return x[:cut], y[:cut], x[cut:], y[cut:]


def explained(
    predict_for: Callable[[np.ndarray], games.Predict],
    held_out: np.ndarray,
    background: np.ndarray,
) -> games.Game:
    """The game of each row: all of its columns are players."""
    players = np.arange(held_out.shape[1])
    tables = [
        games.interventional(predict_for(x), x, background, players) for x in held_out
    ]
    return games.from_tables(np.stack(tables))


def deep_tree(num: int) -> games.Game:
    r = np.random.default_rng(0)
    x = r.normal(size=(3000, 8))
    steps = (x[:, 4:7] > 0).all(1)
    y = (x[:, 0] * x[:, 1] > 0) + np.sin(2 * x[:, 2]) * x[:, 3] + steps / 2
    x, y, held_out, _ = rows(x, y + 0.3 * x[:, 7])
    model = tree.DecisionTreeRegressor(max_depth=10, random_state=0).fit(x, y)
    return explained(lambda _: model.predict, held_out[:num], x[:10])


def forest(num: int) -> games.Game:
    x, y, held_out, _ = rows(*datasets.load_diabetes(return_X_y=True))
    model = ensemble.RandomForestRegressor(60, random_state=0).fit(x, y)
    return explained(lambda _: model.predict, held_out[:num], x[:20])


def perceptron(num: int) -> games.Game:
    """The probability of the predicted class."""
    x, y, held_out, _ = rows(*datasets.load_wine(return_X_y=True))
    scale = preprocessing.StandardScaler().fit(x)
    x, held_out = scale.transform(x), scale.transform(held_out)
    model = neural_network.MLPClassifier(
        (32, 32), activation="tanh", random_state=0, max_iter=500
    ).fit(x, y)

    def predict_for(row: np.ndarray) -> games.Predict:
        label = model.predict_proba(row[None]).argmax()
        return lambda z: model.predict_proba(z)[:, label]

    return explained(predict_for, held_out[:num], x[:20])


def boosted(num: int) -> games.Game:
    """The log-odds, from the 14 most important of 30 columns."""
    x, y, held_out, _ = rows(*datasets.load_breast_cancer(return_X_y=True))
    make = ensemble.GradientBoostingClassifier
    first = make(n_estimators=60, random_state=0).fit(x, y)
    top = np.sort(np.argsort(-first.feature_importances_)[:14])
    model = make(n_estimators=60, max_depth=4, random_state=0).fit(x[:, top], y)
    return explained(
        lambda _: model.decision_function, held_out[:num, top], x[:10, top]
    )


def boosted_wide(num: int) -> games.Game:
    """The log-odds from all 30 columns, one term per tree.

    A tree of depth 3 splits at most 7 times, so 7 columns are enough for each. Where a
    tree has fewer, columns that it does not use make up the number.
    """
    x, y, held_out, _ = rows(*datasets.load_breast_cancer(return_X_y=True))
    held_out, background = held_out[:num].astype(np.float32), x[:20].astype(np.float32)
    model = ensemble.GradientBoostingClassifier(
        n_estimators=100, max_depth=3, random_state=0
    ).fit(x, y)
    used = [
        np.unique(t.tree_.feature[t.tree_.feature >= 0]) for (t,) in model.estimators_
    ]
    k = max(map(len, used))
    players, tables = [], []
    for (single,), columns in zip(model.estimators_, used, strict=True):
        rest = np.setdiff1d(np.arange(x.shape[1]), columns)
        players.append(np.concatenate([columns, rest[: k - len(columns)]]))
        predict = lambda z, single=single: single.tree_.predict(z)[:, 0]
        tables.append(
            [
                games.interventional(predict, r, background, players[-1])
                for r in held_out
            ]
        )
    scaled = model.learning_rate * np.stack(tables, 1)
    return games.Game(x.shape[1], np.stack(players), scaled)


GAMES = {
    "tree, 8": deep_tree,
    "forest, 10": forest,
    "MLP probability, 13": perceptron,
    "boosted trees, 14": boosted,
    "boosted trees, 30": boosted_wide,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--instances", type=int, default=20)
    options = parser.parse_args()
    made = {name: make(options.instances) for name, make in GAMES.items()}
    games.save(options.folder / "sklearn.npz", made)
    x, y, held_out, labels = rows(*datasets.load_digits(return_X_y=True))
    np.savez(
        options.folder / "digits.npz", x=x, y=y, held_out=held_out, held_out_y=labels
    )


if __name__ == "__main__":
    main()
