"""Train, prune and distil a network; compare accuracy, size and explanations.

The digits of scikit-learn, or with `--data` those of MNIST: nothing is downloaded.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from experiments import common
from experiments.compression import agree, compress, data, figure, model
from jaxplain import distill

STEPS = compress.Steps(500, 120, 600, 1200, (0.5, 0.8, 0.9, 0.95))
QUICK = compress.Steps(150, 40, 150, 300, (0.8, 0.95))
NUM_EXPLAINED, NUM_QUICK = 60, 20

# Measure, its name in the table, and its decimal places.
COLUMNS = (
    ("accuracy", "accuracy", 3),
    ("same_answer", "same answer", 3),
    ("IG_rank_correlation", "IG: rank", 2),
    ("IG_cosine", "cosine", 2),
    ("IG_top_overlap", "top", 2),
    ("SHAP_rank_correlation", "SHAP: rank", 2),
    ("SHAP_cosine", "cosine", 2),
    ("SHAP_top_overlap", "top", 2),
)

NOTES = (
    "Standard errors are over held-out pictures, for one training of each model: they "
    "do not say how another training would turn out.",
    "Explained are the log-odds of the class that the network sees, for all models.",
    "Pruned networks start from the weights of the network, so they may agree with it "
    "more than two seeds do; the others start anew.",
    "Integrated gradients of blank pixels are 0 in every model, for the baseline is "
    "blank: this alone makes some of the top pixels common.",
    "Kernel SHAP meets the same coalitions in all models, so its noise is shared.",
)


def main(argv: Sequence[str] | None = None) -> None:
    """The experiment, from the digits to the figure."""
    options = common.parser("compression", __doc__).parse_args(argv)
    rng, clock = np.random.default_rng(options.seed), common.Clock()
    clock.start("reading the digits")
    source, digits = data.load(options.data, rng)
    train, held_out = data.split(digits, rng)
    clock.say(f"  {source}: {len(train.labels)} to train, {len(held_out.labels)} apart")

    steps = QUICK if options.quick else STEPS
    models = compress.everything(train, rng, options.seed, steps, clock)

    clock.start("judging")
    logits = agree.outputs(models, held_out.images)
    numbers = {
        name: judge(logits["network"], logits[name], model.numbers, held_out.labels)
        for name, model in models.items()
    }

    clock.start("explaining")
    number = NUM_QUICK if options.quick else NUM_EXPLAINED
    images, labels = held_out.images[:number], logits["network"][:number].argmax(1)
    key = jax.random.key(options.seed)
    found = agree.attributions(models, images, labels, key)
    for method, short in zip(agree.METHODS, ("IG", "SHAP"), strict=True):
        for name, maps in found[method].items():
            if name != "network":
                measures = agree.agreement(found[method]["network"], maps)
                numbers[name] |= {
                    f"{short}_{measure}": common.mean_and_error(values)
                    for measure, values in measures.items()
                }

    clock.start("drawing")
    folder = common.output_folder(options.out)
    chosen = figure.one_of_each(labels, figure.NUM_PICTURES)
    drawing = figure.draw(
        images[chosen],
        {name: maps[chosen] for name, maps in found[agree.METHODS[0]].items()},
        numbers,
        folder / "compression.png",
    )
    clock.stop()
    metrics = {
        "experiment": "compression",
        "data": source,
        "seed": options.seed,
        "quick": options.quick,
        "notes": NOTES,
        "configuration": configuration(steps, number),
        "models": numbers,
        "seconds": clock.seconds | {"total": round(clock.total(), 2)},
        "versions": common.versions(),
    }
    header = ("", "numbers", *(name for _, name, _ in COLUMNS))
    common.print_table(header, [cells(*item) for item in numbers.items()])
    clock.say(f"wrote {drawing} and {common.write_metrics(folder, metrics)}")


# Rows hold what was computed before: the logits of both.
fidelity = jax.jit(
    distill.fidelity(
        lambda row: jax.nn.softmax(row["network"]),
        lambda row: jax.nn.softmax(row["other"]),
    )
)


def judge(
    network: np.ndarray, other: np.ndarray, size: int, labels: np.ndarray
) -> dict[str, Any]:
    """Size, accuracy and fidelity of one model, on pictures that none has seen."""
    found = fidelity({"network": network, "other": other})
    measured = lambda mean, error: {"mean": float(mean), "standard_error": float(error)}
    return {
        "numbers": size,
        "accuracy": common.mean_and_error(other.argmax(1) == labels),
        "same_answer": measured(found.agreement, found.agreement_error),
        "fidelity_r2": measured(found.r2, found.r2_error),
    }


def cells(name: str, numbers: Mapping[str, Any]) -> list[str]:
    """One row of the table: means, with their standard errors."""
    found = [(numbers.get(measure), places) for measure, _, places in COLUMNS]
    return [
        name,
        f"{numbers['numbers']:,}",
        *(
            f"{x['mean']:.{places}f} ± {x['standard_error']:.{places}f}" if x else ""
            for x, places in found
        ),
    ]


def configuration(steps: compress.Steps, number: int) -> dict[str, Any]:
    """What the numbers depend on, besides the code, the data and the seed."""
    return {
        "steps": steps._asdict(),
        "batch": model.BATCH,
        "rate": model.RATE,
        "temperature": model.TEMPERATURE,
        "depth_of_the_soft_tree": compress.TREE_DEPTH,
        "ridge": compress.RIDGE,
        "explained": number,
        "steps_of_integrated_gradients": agree.IG_STEPS,
        "patch": agree.PATCH,
        "coalitions": agree.NUM_COALITIONS,
        "share_at_the_top": agree.TOP,
    }


if __name__ == "__main__":
    main()
