"""Convolutions inside a loop, in the layout of XLA's fast kernel."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import JaxprEqn
from jax.extend.core import primitives as P

from . import _jaxpr, _platform


def canonical_convolutions(
    fn: Callable[..., Any], *example: Any
) -> tuple[Callable[..., Any], Any]:
    """`fn` with channels-last convolutions, fit for a loop on CPU, and its shapes.

    XLA's CPU compiler brings convolutions into the layout of its fast kernel in the
    entry computation only. The gradient of a convolution swaps the channels of its
    kernel, so inside a loop it would run several times slower: see
    `docs/performance.md` for the measurements. `fn` is traced once, here.
    """
    closed, _, shape = _jaxpr.trace(fn, *example)

    def run(*args: Any) -> Any:
        leaves = jax.tree.leaves(args)
        out = _jaxpr.interpret(closed, leaves, _replacement, open_custom=False)
        return _jaxpr.unflatten_like(shape, out)

    return run, _jaxpr.unflatten_like(shape, closed.out_avals)


@_platform.on_cpu
def _replacement(eqn: JaxprEqn) -> Callable[..., Any] | None:
    if eqn.primitive is not P.conv_general_dilated_p:
        return None
    return functools.partial(_channels_last, eqn)


def _channels_last(eqn: JaxprEqn, image: Any, kernel: Any) -> Any:
    spec = eqn.params["dimension_numbers"]
    last = image.ndim - 1
    space = tuple(range(1, last))
    canonical = jax.lax.ConvDimensionNumbers(
        (0, last, *space), (last, last - 1, *range(last - 1)), (0, last, *space)
    )
    batch, channel, *rest = spec.lhs_spec
    image = jnp.transpose(image, (batch, *rest, channel))
    output, inner, *rest = spec.rhs_spec
    kernel = jnp.transpose(kernel, (*rest, inner, output))
    params = {**eqn.params, "dimension_numbers": canonical}
    out = eqn.primitive.bind(image, kernel, **params)
    batch, channel, *rest = spec.out_spec
    return jnp.transpose(out, tuple(np.argsort((batch, *rest, channel))))
