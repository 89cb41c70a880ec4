"""A pytest plugin: the names that the examples of docstrings may use."""

import jax
import jax.numpy as jnp
import matplotlib as mpl
import numpy as np
import pytest

import jaxplain as jx

mpl.use("Agg")


@pytest.fixture(autouse=True)
def _names(doctest_namespace):
    doctest_namespace |= {"jax": jax, "jnp": jnp, "np": np, "jx": jx}
    for module in (
        jx,
        jx.cam,
        jx.coalitions,
        jx.groups,
        jx.metrics,
        jx.paths,
        jx.plot,
        jx.rules,
    ):
        public = {k: v for k, v in vars(module).items() if not k.startswith("_")}
        for name, value in public.items():
            doctest_namespace.setdefault(name, value)
