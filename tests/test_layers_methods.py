"""The methods that `docs/concepts/layers.md` writes out give the published numbers.

They are taken from the page, and integrate with as many nodes as the source: a kink
leaves a trace of them.
"""

import json
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny_models import multi_layer, multi_layer_of_two

import jaxplain as jx

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "concepts" / "layers.md"
FACTS = {
    fact["id"]: fact
    for fact in json.loads((HERE / "facts.json").read_text())["published"]
}

ZERO, X100 = jnp.zeros(3), jnp.array([0.0, 100.0, 0.0])
RAMP, FROM = jnp.array([30.0, 30.0, 0.0]), jnp.array([-20.0, -20.0, 0.0])
BENT = jnp.array([0.0, 70.0, 30.0])


@pytest.fixture(scope="module")
def page():
    """The functions of the page that are methods."""
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
    methods = [b for b in blocks if b.startswith(("def ", "nodes")) and "tap(" not in b]
    names = {"jax": jax, "jnp": jnp, "np": np, "jx": jx}
    exec("\n".join(block for block in methods if "assert" not in block), names)
    names["nodes"], names["weights"] = np.polynomial.legendre.leggauss(500)
    return names


def f(x):
    return multi_layer(x)[0]


def f_of_two(x):
    return multi_layer_of_two(x)[0]


METHODS = {
    "LIG-1": lambda page: page["layer_integrated_gradients"](
        f_of_two, X100, ZERO, "multi_relu"
    )[1],
    "LGXA-1": lambda page: page["layer_gradient_x_activation"](f, X100, "linear0"),
    "LGXA-2": lambda page: page["layer_gradient_x_activation"](f, X100, "linear1"),
    "II-1": lambda page: page["internal_influence"](f, X100, ZERO, "linear0"),
    "II-2": lambda page: page["internal_influence"](f, X100, ZERO, "linear1"),
    "II-4": lambda page: page["internal_influence"](f, RAMP, FROM, "linear1"),
    "COND-1": lambda page: page["layer_conductance"](f, X100, ZERO, "linear0"),
    "COND-2": lambda page: page["layer_conductance"](f, X100, ZERO, "linear1"),
    "COND-4": lambda page: page["layer_conductance"](f, X100, ZERO, "linear2"),
    "NC-1": lambda page: page["neuron_conductance"](f, X100, ZERO, "linear1", 0),
    "NC-2": lambda page: page["neuron_conductance"](f, BENT, ZERO, "relu", 3),
}


@pytest.mark.parametrize("name", METHODS)
def test_a_method_of_the_page_gives_the_published_number(page, name):
    fact = FACTS[name]
    value = np.asarray(jax.jit(lambda: METHODS[name](page))())
    for kind, within in (("published", "within"), ("exact", "tolerance")):
        expected = np.asarray(fact[kind], float)
        assert np.max(np.abs(value.reshape(expected.shape) - expected)) <= fact[within]


def test_a_neuron_of_the_page_is_a_function_of_the_input(page):
    gradient = jax.grad(page["neuron"](f, "linear2", 0))(X100)
    np.testing.assert_array_equal(gradient, jax.grad(f)(X100))
