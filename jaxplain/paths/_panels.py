"""Integrals panel by panel, from rates at the nodes and from the values between them.

The value of `f` at both ends of a panel is the exact integral of the sum of all rates
over it. What a rule misses of that sum is thus known on every panel, and tells how to
correct the single features, and where to look again.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

UNUSED = 2.0
"""The place of nodes not yet taken: behind the line, so that they sort last."""


class Line(NamedTuple):
    """What is known of the line, in the order of its nodes.

    Attributes:
        nodes: In `[0, 1]`, or `UNUSED`.
        values: `f` at each node.
        rates: Change of `f` per unit of the line by each feature, at each node.
    """

    nodes: Float[Array, " nodes"]
    values: Float[Array, " nodes"]
    rates: Float[Array, "nodes size"]

    @property
    def widths(self) -> Float[Array, " panels"]:
        """The widths of the panels; 0 where a node is not taken."""
        return jnp.where(self.nodes[1:] <= 1, jnp.diff(self.nodes), 0)


class Panels(NamedTuple):
    """The integral, and of each panel its error and what the trapezoid missed."""

    integral: Float[Array, " size"]
    errors: Float[Array, " panels"]
    residuals: Float[Array, " panels"]


def integrate(line: Line, noise: Array) -> Panels:
    """The integral of every rate, complete on every panel where that is credible.

    `noise` is the rounding of the values: what is less than that is not corrected.
    """
    width = line.widths
    live = width > 0
    column = width[:, None]
    turn = jnp.where(live[:, None], jnp.diff(line.rates, axis=0), 0)
    trapezoid = column * (line.rates[1:] + line.rates[:-1]) / 2
    slopes = _slopes(width, turn)
    bend = column**2 * (slopes[:-1] - slopes[1:]) / 12
    residual = jnp.where(live, jnp.diff(line.values), 0) - trapezoid.sum(-1)
    bent = residual - bend.sum(-1)
    # The bend is that of a smooth curve: it is one if the values agree.
    smooth = jnp.abs(bent) < 0.1 * jnp.abs(residual)
    rule = trapezoid + jnp.where(smooth[:, None], bend, 0)
    rest = jnp.where(smooth, bent, residual)
    secant = _secant(width, turn, rest, noise)
    error = _error(width, turn, bend, ratio(jnp.abs(bent), jnp.abs(residual)), smooth)
    # What is still missing of the sum of all features is known, and is an error.
    left = jnp.abs(rest - secant.sum(-1))
    error = jnp.maximum(error, jnp.where(left > noise, left, 0))
    return Panels((rule + secant).sum(0), error, jnp.abs(residual))


def _slopes(width: Array, turn: Array) -> Float[Array, "nodes size"]:
    """The slope of the rates at each node: of the parabola through its neighbours."""
    steep = turn / jnp.where(width > 0, width, 1)[:, None]
    left, right = jnp.append(steep[:1], steep, 0), jnp.append(steep, steep[-1:], 0)
    before, after = jnp.append(width[:1], width), jnp.append(width, width[-1:])
    share = ratio(before, before + after)[:, None]
    has_right = jnp.pad(width > 0, (0, 1))[:, None]
    return jnp.where(has_right, share * right + (1 - share) * left, left)


def _secant(width: Array, turn: Array, rest: Array, noise: Array) -> Array:
    """The correction that makes a panel complete, along the turn of its rates.

    If the rates jump once in the panel, it moves the jump from the middle to where the
    values say that it is, which is exact. A jump stays inside of its panel.
    """
    total = turn.sum(-1)
    most = width * jnp.abs(total) / 2
    credible = (jnp.abs(rest) <= most) & (jnp.abs(rest) > noise)
    shift = jnp.where(credible, ratio(rest, total), 0)
    return shift[:, None] * turn


def _error(
    width: Array, turn: Array, bend: Array, missed: Array, smooth: Array
) -> Float[Array, " panels"]:
    """The error of each panel: a jump anywhere in it, or what a smooth curve leaves."""
    jump = width * norm(turn) / 12**0.5  # the deviation of a uniform place
    curve = jnp.minimum(jump, norm(bend)) * 3 * jnp.clip(missed, 0.01, 1)
    return jnp.where(smooth, curve, jump)


def norm(vectors: Array) -> Array:
    """The Euclidean norm over the last axis, however small or large the entries."""
    size = jnp.max(jnp.abs(vectors), -1, keepdims=True)
    unit = ratio(vectors, size)
    return size[..., 0] * jnp.sqrt(jnp.sum(unit**2, -1))


def ratio(a: Array, b: Array) -> Array:
    """`a / b`, where nothing of nothing is 0."""
    whole = jnp.where(b == 0, 1, b)
    return jnp.where((b == 0) & (a != 0), jnp.inf, a / whole)
