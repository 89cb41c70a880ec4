"""Errors about highlighted text, word for word."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from raising import check

from jaxplain import text

shows = pytest.mark.parametrize("show", [text.html, text.terminal])


@shows
def test_a_weight_that_is_not_finite_is_named(show):
    for bad in (np.nan, np.inf):
        check(
            lambda bad=bad: show("my song", [(0, 2), (3, 7)], [1.0, bad]),
            ValueError,
            "`weights` must be finite, but 1 of 2 are not, the first that of 'song'. A "
            "NaN is a weight that the samples do not determine: draw more of them, or "
            "look where `f` is not finite.",
        )


@shows
def test_there_is_one_weight_per_span(show):
    message = (
        "`weights` must hold one number per span, shape (2,), but has shape {}. Spread "
        "weights of groups over their words with `jaxplain.groups.spread`, and leave "
        "padding out."
    )
    spans = [(0, 2), (3, 7)]
    for wrong in (np.ones(3), np.ones((2, 1)), np.ones(())):
        check(
            lambda wrong=wrong: show("my song", spans, wrong),
            ValueError,
            message.format(wrong.shape),
        )


@shows
@pytest.mark.parametrize(
    ("spans", "at", "before"),
    [
        ([(3, 7), (0, 2)], (0, 2), 7),
        ([(0, 4), (3, 7)], (3, 7), 4),
        ([(0, 2), (3, 8)], (3, 8), 2),
        ([(0, 0), (3, 7)], (0, 0), 0),
        ([(-2, 2), (3, 7)], (-2, 2), 0),
    ],
)
def test_spans_are_pieces_of_the_text_in_order(show, spans, at, before):
    check(
        lambda: show("my song", spans, np.ones(2)),
        ValueError,
        "`spans` must be pieces of the text in order, without overlap and none of them "
        f"empty, but {at} comes after {before} in a text of 7 characters. Leave "
        "special tokens out, and gather parts of words.",
    )


@shows
def test_a_limit_is_positive(show):
    with pytest.raises(ValueError, match="`limit` must be a positive number"):
        show("a", [(0, 1)], [1.0], limit=0.0)


@shows
def test_text_is_shown_outside_of_jit(show):
    call = jax.jit(lambda weights: len(show("a", [(0, 1)], weights)))
    check(
        lambda: call(jnp.ones(1)),
        TypeError,
        "`weights` must be concrete, but are traced: text is written on the host. "
        "Explain inside `jax.jit`, and highlight outside.",
    )
    check(
        lambda: show(["a"], [(0, 1)], [1.0]),
        TypeError,
        "`text` must be a string, but is list. Pass the text that "
        "`jaxplain.text.split` was given.",
    )


@shows
@pytest.mark.parametrize(
    ("spans", "shown"),
    [
        (["my", "song"], "'my'"),
        (text.split("my song"), "['my', 'song']"),
        ([(0.0, 2.0), (3, 7)], "(0.0, 2.0)"),
        (None, "None"),
    ],
    ids=["words", "split", "floats", "none"],
)
def test_spans_are_pairs_of_integers(show, spans, shown):
    check(
        lambda: show("my song", spans, np.ones(2)),
        TypeError,
        f"`spans` must hold pairs of integers, `(start, end)`, but holds {shown}. Take "
        "the second of what `words, spans = jaxplain.text.split(text)` gives.",
    )


@shows
def test_spans_of_numpy_are_spans(show):
    spans = [(0, 2), (3, 7)]
    assert show("my song", np.array(spans), [1, 2]) == show("my song", spans, [1, 2])


@shows
def test_weights_are_real_numbers(show):
    for wrong, kind in [
        (["a"], "<U1"),
        ([None], "object"),
        (np.ones(1, complex), "complex128"),
    ]:
        check(
            lambda wrong=wrong: show("a", [(0, 1)], wrong),
            TypeError,
            f"`weights` must hold real numbers, but holds {kind}. Pass one number per "
            "span, such as the attribution that an explainer returns.",
        )
    check(
        lambda: show("a b", [(0, 1), (2, 3)], [[1.0], [1.0, 2.0]]),
        ValueError,
        "`weights` must be one array, but holds sequences of different lengths. Pass "
        "those of one text; pad several to one length, and map over them with "
        "`jax.vmap`.",
    )


@shows
def test_a_unit_is_a_string(show):
    check(
        lambda: show("a", [(0, 1)], [1.0], unit=None),
        TypeError,
        "`unit` must be a string, but is NoneType. Leave it out where weights have "
        "none.",
    )
