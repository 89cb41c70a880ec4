"""Errors about texts, tokens and weights, word for word."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from raising import check

import jaxplain as jx
from jaxplain import text

TOKENS = np.array([2, 5, 3])
ONES = jnp.ones(3)
f = lambda tokens: jnp.float32(1) * tokens.sum().astype("float32")
FORMS = {
    "masked": (text.masked, "mask_token"),
    "removed": (text.removed, "pad_token"),
}
forms = pytest.mark.parametrize(("form", "name"), FORMS.values(), ids=FORMS.keys())


def made(form, name, f=f, token=1):
    return form(f, **{name: token})


@forms
def test_a_special_token_is_an_id(form, name):
    message = "`{}` must be the integer id of a token, but is {}. Look it up in your "
    message += "vocabulary, for example `{}=1`."
    for value, shown in [("[MASK]", "str"), (True, "bool[]"), (1.0, "float64[]")]:
        check(
            lambda value=value: made(form, name, token=value),
            TypeError,
            message.format(name, shown, name),
        )
    check(
        lambda: made(form, name, token=-1),
        ValueError,
        f"`{name}` must not be negative, but is -1. Ids count from 0; look it up in "
        "your vocabulary.",
    )


@forms
def test_tokens_are_integers(form, name):
    for wrong, shown in [(ONES, "float64[3]"), (TOKENS > 2, "bool[3]")]:
        check(
            lambda wrong=wrong: made(form, name)(ONES, wrong),
            TypeError,
            f"`tokens` must be integer ids, but is {shown}. Pass `g(present, tokens, "
            "*args)`: what is present comes first. Embeddings are explained without "
            "`jaxplain.text`, by any explainer of what follows them.",
        )


@forms
def test_tokens_are_not_negative(form, name):
    message = (
        "`tokens` must not be negative, but holds -1. JAX would count it from the end "
        "of the embedding: give unknown words and padding an id of their own."
    )
    bad = np.array([2, -1, 3])
    check(lambda: made(form, name)(ONES, bad), ValueError, message)
    call = jax.jit(lambda present: made(form, name)(present, bad))
    check(lambda: call(ONES), ValueError, message)


@forms
def test_a_special_token_fits_the_dtype_of_the_tokens(form, name):
    check(
        lambda: made(form, name, token=300)(ONES, TOKENS.astype("uint8")),
        ValueError,
        f"`{name}` must fit the dtype of `tokens`, uint8, but is 300. Use a wider "
        "dtype, such as int32.",
    )


@forms
def test_presence_fits_the_tokens(form, name):
    g = made(form, name)
    check(
        lambda: g(jnp.ones(2), TOKENS),
        ValueError,
        "`present` must have the shape of `tokens`, (3,), but has (2,). Explain at "
        "`jax.numpy.ones(tokens.shape)`; gather tokens into words with `groups`, and "
        "map over texts with `jax.vmap`.",
    )
    check(
        lambda: g(np.ones(3, bool), TOKENS),
        TypeError,
        "`present` must be floating-point, but is bool[3]. Start from "
        "`jax.numpy.ones(tokens.shape)`, where every token is present.",
    )


@forms
def test_a_text_is_not_empty(form, name):
    check(
        lambda: made(form, name)(jnp.ones(0), np.zeros(0, int)),
        ValueError,
        "`tokens` must not be empty, but have shape (0,). Leave texts without words "
        "out.",
    )


def test_removal_takes_one_text():
    g = text.removed(f, pad_token=0)
    check(
        lambda: g(jnp.ones((1, 3)), TOKENS[None]),
        ValueError,
        "`tokens` must have shape (length,), but have shape (1, 3): what is left moves "
        "up along one axis. Map over texts with `jax.vmap`.",
    )
    check(
        lambda: text.removed(f, pad_token=0, side="lef"),
        ValueError,
        "`side` must be one of 'left', 'right', but is 'lef'. Did you mean 'left'?",
    )


@forms
def test_f_returns_a_scalar(form, name):
    with pytest.raises(ValueError, match=r"`f` must return a scalar, but .* \(3,\)"):
        made(form, name, f=lambda tokens: jnp.ones(3))(ONES, TOKENS)


@forms
def test_labels_that_do_not_fit_are_named(form, name):
    explain = jx.occlusion(made(form, name), num_groups=2)
    with pytest.raises(ValueError, match="`groups` must label the leading axes"):
        explain(ONES, TOKENS, baseline=0.0, groups=np.array([0, 1]))


# Words and labels.


def test_a_text_is_a_string():
    check(
        lambda: text.split(["a", "b"]),
        TypeError,
        "`text` must be a string, but is list. Split one text at a time.",
    )
    check(
        lambda: text.split("a", pattern="("),
        ValueError,
        "`pattern` must be a regular expression, but '(' is none: missing ), "
        "unterminated subpattern at position 0. For words between white space, take "
        r"`pattern=r'\S+'`.",
    )


def test_word_ids_are_integers_or_none():
    check(
        lambda: text.subwords([0, "a"]),
        TypeError,
        "`word_ids` must hold integers or None, but holds str. Pass what `word_ids()` "
        "of one encoding returns.",
    )
    check(
        lambda: text.subwords([0, -1]),
        ValueError,
        "`word_ids` must not be negative, but holds -1. Mark tokens of no word by "
        "None.",
    )
    message = (
        "`word_ids` must place a token in a word, but there are {} tokens and all of "
        "them are None. Leave texts without words out."
    )
    check(lambda: text.subwords([]), ValueError, message.format(0))
    check(lambda: text.subwords([None, None]), ValueError, message.format(2))


def test_word_types_want_a_word():
    check(
        lambda: text.word_types([]),
        ValueError,
        "`words` must hold at least one word, but is empty. Leave texts without words "
        "out.",
    )


# Highlights.

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
