"""Values from all coalitions."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .. import _regression, _tree
from ._sample import Estimate, Sample
from ._semivalues import Semivalue, per_coalition, shapley


def exact(sample: Sample, value: Semivalue | None = None) -> Estimate:
    """Shapley values, or others, of a game that was seen at every coalition."""
    d = sample.num_groups
    value = shapley(d) if value is None else value
    dtype = sample.values.dtype
    inside, outside = (jnp.asarray(w, dtype) for w in per_coalition(value))
    above = sample.values

    def part(indices: Array, valid: Array) -> tuple:
        mask = jax.vmap(sample.draw)(indices)
        size = mask.sum(1)
        weight = jnp.where(mask, inside[size][:, None], -outside[size][:, None])
        gain = jnp.where(valid, above[indices], 0)
        return _regression.dot(gain, weight), ()

    total = jnp.full(d, inside[d] * sample.full)
    if len(above):
        total = total + _tree.loop(part, len(above), sample.chunk_size)[0]
    return Estimate(total, jnp.zeros(d, dtype), sample.evaluations)


def efficient(values: Float[Array, " d"], sample: Sample) -> Float[Array, " d"]:
    """The nearest values that add up to what there is to share."""
    return values + (sample.share - values.mean())
