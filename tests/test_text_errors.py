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
def test_long_ids_do_not_wrap_without_64_bits(form, name):
    long = 2**32 + 5
    with jax.enable_x64(False):
        check(
            lambda: made(form, name)(jnp.ones(1), np.array([long])),
            ValueError,
            "`tokens` must fit int32, which is what JAX makes of int64 here, but holds "
            f"{long}. Number the words of the vocabulary from 0.",
        )
        check(
            lambda: made(form, name, token=long)(ONES, TOKENS),
            ValueError,
            f"`{name}` must fit the dtype of `tokens`, int32, but is {long}. Number "
            "the words of the vocabulary from 0.",
        )


@forms
def test_tokens_of_several_texts_are_not_ragged(form, name):
    check(
        lambda: made(form, name)(ONES, [[2, 5], [3]]),
        ValueError,
        "`tokens` must be one array, but holds sequences of different lengths. Pass "
        "those of one text; pad several to one length, and map over them with "
        "`jax.vmap`.",
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
    check(
        lambda: g([1.0, 1.0, 1.0], TOKENS),
        TypeError,
        "`present` must be floating-point, but is list. Start from "
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


def test_a_pattern_is_a_string():
    for wrong, shown in [(None, "NoneType"), (b"a", "bytes")]:
        check(
            lambda wrong=wrong: text.split("a", pattern=wrong),
            TypeError,
            f"`pattern` must be a string, but is {shown}. For words between white "
            r"space, take `pattern=r'\S+'`; leave it out for letters.",
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


def test_word_types_want_a_list_of_words():
    check(
        lambda: text.word_types("my song"),
        TypeError,
        "`words` must be a list of words, but is str. Split it first with "
        "`jaxplain.text.split`.",
    )
    check(
        lambda: jax.jit(text.word_types)(TOKENS),
        TypeError,
        "`words` must be concrete, but are traced: how many types there are shapes the "
        "program. Number them outside `jax.jit` and `jax.vmap`.",
    )
    check(
        lambda: text.word_types(TOKENS[None]),
        ValueError,
        "`words` must be those of one text, of shape (length,), but have shape (1, 3). "
        "Number the words of one text at a time.",
    )
    for wrong in (None, [["a"], ["b"]]):
        check(
            lambda wrong=wrong: text.word_types(wrong),
            TypeError,
            f"`words` must be a list of words or token ids, but is {wrong}. Pass those "
            "of one text, as strings or integers.",
        )
