"""What the page of all experiments says of each, from the numbers of the run."""

from collections.abc import Callable, Mapping
from typing import Any

from experiments.page import Chapter, Figure, Table, mean

Numbers = dict[str, Any]


def pictures(found: Numbers) -> Chapter:
    measures = ("share_inside", "share_inside_untrained", "pointing_game")
    rows = [
        (name, *(mean(row[m]) if m in row else "" for m in measures))
        for name, row in found["explainers"].items()
    ]
    return Chapter(
        "pictures",
        "Pictures",
        "Does an explanation of a CNN point at the quarter that holds the class?",
        "Exactly one quarter of each mosaic holds the class, so chance is 0.25.",
        [
            Figure(
                "pictures.png", "Mosaics of photographs, and what each explainer says"
            )
        ],
        Table(("", "share inside", "untrained network", "pointing game"), rows),
    )


def words(found: Numbers) -> Chapter:
    known = "top_word_in_rule" in found["by_chance"]
    measures = {"drop_without_top_word": "log-odds lost without the top word"}
    if known:
        measures = {"top_word_in_rule": "top word is of the rule"} | measures
    everyone = {**found["explainers"], "a random word": found["by_chance"]}
    rows = [
        (name, *(mean(row[measure]) for measure in measures))
        for name, row in everyone.items()
    ]
    answer = (
        "A comment is spam if it asks for something and names a place to find it, one "
        "word of each. The network was told which comments are spam, and not why."
        if known
        else "Real comments, so nobody knows the right answer: what is measured is how "
        "much the network needs the word that an explainer puts first."
    )
    return Chapter(
        "words",
        "Words",
        "Which words make a comment spam, for an LSTM?",
        answer,
        [Figure("words.png", "Comments, with the evidence of each word")],
        Table(("", *measures.values()), rows),
    )


def tables(found: Numbers) -> Chapter:
    strength = found["mean_strength"]
    features = next(iter(strength.values()))
    rows = [
        (feature, *(f"{row[feature]:,.0f}" for row in strength.values()))
        for feature in features
    ]
    against = found["against_the_rule"]
    answer = f"Held-out R2 of the network: {found['scores']['held_out']['r2']:.3f}. "
    if against:
        worst = min(row["correlation"] for row in against.values())
        answer += (
            "The days follow a known rule. Explanations of the network agree with "
            f"those of the rule itself to a correlation of at least {worst:.3f}."
        )
    return Chapter(
        "tables",
        "Tables",
        "What makes a day good for renting bicycles?",
        answer,
        [Figure("tables.png", "Three days, explained in three ways")],
        Table((f"mean size, rentals a day ({found['table']})", *strength), rows),
    )


def traffic(found: Numbers) -> Chapter:
    known = found["series"] == "generated"
    checks = found["checks"]
    rows = [
        (check["claim"], f"{check['value']:.3g}", check["wanted"]) for check in checks
    ]
    figures = [
        Figure("traffic.png", "Three forecasts, and what they rest on"),
        Figure("sensitivity.png", "Elementary effects and Sobol indices of conditions"),
    ]
    if "published_network" in found:
        figures.insert(1, Figure("chapter.png", "The published network of the chapter"))
    kept = sum(check["passed"] for check in checks)
    return Chapter(
        "traffic",
        "Traffic",
        "What does an LSTM look at to forecast the traffic of the next hour?",
        ("The process that made the series is known. " if known else "")
        + f"{kept} of {len(checks)} checks hold.",
        figures,
        Table(("check", "measured", "wanted"), rows),
    )


def compression(found: Numbers) -> Chapter:
    models = found["models"]
    rows = [
        (
            name,
            f"{row['numbers']:,}",
            mean(row["accuracy"], 3),
            *(
                mean(row[measure]) if measure in row else ""
                for measure in ("IG_rank_correlation", "SHAP_rank_correlation")
            ),
        )
        for name, row in models.items()
    ]
    return Chapter(
        "compression",
        "Compression",
        "Does a smaller model have the same reasons?",
        "The row of another seed says how far two networks agree that differ in "
        "nothing else.",
        [Figure("compression.png", "Attributions of one network and its compressions")],
        Table(
            (
                found["data"],
                "numbers",
                "accuracy",
                "IG, rank corr.",
                "SHAP, rank corr.",
            ),
            rows,
        ),
    )


CHAPTERS: Mapping[str, Callable[[Numbers], Chapter]] = {
    "pictures": pictures,
    "words": words,
    "tables": tables,
    "traffic": traffic,
    "compression": compression,
}
