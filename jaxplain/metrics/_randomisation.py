"""Does an explanation change when the parameters of the model do?"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, PyTree

from .. import _checks, _tree
from .._types import REQUIRED, Averaged, Explains, PRNGKey, Scalar
from ..combinators import smooth
from ._agreement import rank_correlation
from ._layers_of import layers_of
from ._randomised import like, randomised
from ._simplicity import histogram_entropy

Order = Literal["cascading", "independent"]
Similarity: TypeAlias = Callable[[Any, Any], Any]
Randomise: TypeAlias = Callable[[Any, PRNGKey], Any]


class Randomisation(NamedTuple):
    """How like itself an explanation stays while the model is randomised.

    Attributes:
        similarity: The similarity to the explanation of the model itself, with no layer
            randomised, then the first, and so on: as many entries as there are layers
            and one more.
        mean: Its mean over all entries but the first.
    """

    similarity: PyTree
    mean: PyTree


def parameter_randomisation(
    explain: Explains[Any],
    *,
    similarity: Similarity = rank_correlation,
    order: Order = "cascading",
    layers: Sequence[str] | None = None,
    randomise: Randomise = randomised,
    chunk_size: int | None = 1,
) -> Averaged[Randomisation]:
    r"""How like itself an explanation stays while layers of the model are randomised.

    $$s_i = \mathrm{similarity}\left(\phi(x; \theta),
    \phi(x; \theta^{(i)})\right), \qquad i = 0, \dots, L$$

    with the first `i` layers of `theta` randomised, or the `i`-th alone. An explanation
    that stays the same does not explain what the model has learned. The reverse does
    not hold: noise changes too, and a map that changes may still be wrong. What is
    randomised from the top keeps the early features, and with them the edges of the
    picture; signs, absolute values and the similarity decide how explainers rank. So
    compare with what the output of the model does, which is the same measure of the
    model: `parameter_randomisation(f, similarity=lambda a, b: b - a)`.

    Args:
        explain: `explain(params, x, *args, **refs)`, any explanation as a function of
            the parameters.
        similarity: `similarity(own, other)` of two explanations. Whatever it returns is
            stacked: `lambda own, other: other` gives the maps themselves.
        order: `"cascading"` keeps the layers randomised that came before;
            `"independent"` randomises one layer at a time.
        layers: Names of layers, or beginnings of their paths, in the order to randomise
            them; other parameters stay. By default all of `parameter_layers`, from the
            output down; reverse it to go from the input up.
        randomise: `randomise(params, key)` returns random parameters. The paper draws
            new initial ones: `lambda params, key: model.init(key, x)`. What was drawn
            before, `lambda *_: drawn`, compiles faster.
        chunk_size: Number of models explained at once. Peak memory follows it.

    Returns:
        `measure(params, x, *args, key, **refs)`, a `Randomisation`. One set of random
        parameters serves all layers. Costs one explanation per layer and two more, in
        one program, and one abstract trace unless `layers` are named.

    Raises:
        ValueError: If `order` is neither of the two, a name in `layers` fits no
            parameters, `params` holds no floating-point array, `randomise` changes its
            shapes, or `chunk_size` is below 1.
        TypeError: If `key` is missing, or no random key.

    Example:
        >>> model = lambda p, x: jnp.dot(p["first"], x) ** 2 * p["last"].sum()
        >>> explain = lambda p, x: saliency(lambda x: model(p, x))(x)
        >>> params = {"first": jnp.array([1.0, 2.0, 5.0]), "last": jnp.ones(2)}
        >>> measure = parameter_randomisation(explain, layers=("last", "first"))
        >>> jax.jit(measure)(params, jnp.ones(3), key=jax.random.key(0)).similarity
        Array([1. , 1. , 0.5], dtype=float32)

    References:
        Adebayo, Gilmer, Muelly, Goodfellow, Hardt and Kim (2018), *Sanity Checks for
        Saliency Maps*, arXiv:1810.03292, sections 3.1 and 3.2.
        Hedstrom, Weber, Lapuschkin and Hohne (2024), *Sanity Checks Revisited*,
        arXiv:2401.06465, section 2: what the order and the similarity hide.
    """
    _checks.choice("order", order, get_args(Order))
    _checks.chunk_size(chunk_size)

    def measure(
        params: Any, x: Any, /, *args: Any, key: PRNGKey = REQUIRED, **refs: Any
    ) -> Randomisation:
        _checks.key(key, "parameter_randomisation")
        names, places = layers_of(explain, params, x, args, refs, layers)
        drawn = like(params, randomise(params, key))
        own = explain(params, x, *args, **refs)

        def step(i: Array) -> PyTree:
            chosen = [p < i if order == "cascading" else p == i - 1 for p in places]
            model = mixed(params, drawn, chosen, places, len(names))
            return similarity(own, explain(model, x, *args, **refs))

        curve = _tree.map_samples(step, len(names) + 1, chunk_size)
        return Randomisation(curve, jax.tree.map(lambda s: s[1:].mean(0), curve))

    return measure


def smooth_parameter_randomisation(
    explain: Explains[Any],
    *,
    std: PyTree,
    num_samples: int = 25,
    similarity: Similarity = rank_correlation,
    order: Order = "cascading",
    layers: Sequence[str] | None = None,
    randomise: Randomise = randomised,
    chunk_size: int | None = 1,
) -> Averaged[Randomisation]:
    r"""`parameter_randomisation` of an explanation that is averaged over noise first.

    $$\bar\phi(x; \theta) = \frac{1}{n} \sum_{j=1}^{n} \phi(x + \sigma\, \epsilon_j;
    \theta), \qquad \epsilon_j \sim \mathcal{N}(0, 1)$$

    Maps that are noisy by themselves, such as gradients, look unlike under any change;
    the average takes that advantage away. The noise is the same for every layer.

    Args:
        explain: As `parameter_randomisation`.
        std: Standard deviation of the noise, in the units of `x`; any prefix of `x`.
        num_samples: Number of noisy inputs, all of them at once for each model.
        similarity: As `parameter_randomisation`.
        order: As `parameter_randomisation`.
        layers: As `parameter_randomisation`.
        randomise: As `parameter_randomisation`.
        chunk_size: Number of models explained at once. Peak memory follows it.

    Returns:
        `measure(params, x, *args, key, **refs)`, a `Randomisation`. Costs `num_samples`
        times as much as `parameter_randomisation`.

    Raises:
        ValueError: As `parameter_randomisation`; also if `num_samples` is below 1, or
            `std` is negative or does not fit `x`.
        TypeError: As `parameter_randomisation`.

    Example:
        >>> explain = lambda w, x: w * jnp.sign(x)
        >>> measure = smooth_parameter_randomisation(explain, std=1.0)
        >>> weights, key = jnp.arange(6.0), jax.random.key(1)
        >>> jax.jit(measure)(weights, jnp.ones(6), key=key).similarity
        Array([ 1. , -0.31], dtype=float32)

    References:
        Hedstrom, Weber, Lapuschkin and Hohne (2024), *Sanity Checks Revisited*,
        arXiv:2401.06465: smooth MPRT.
    """

    def measure(
        params: Any, x: Any, /, *args: Any, key: PRNGKey = REQUIRED, **refs: Any
    ) -> Randomisation:
        _checks.key(key, "smooth_parameter_randomisation")
        key, noise = jr.split(key)

        def smoothed(params: Any, x: Any, *args: Any, **refs: Any) -> Any:
            at = lambda x: explain(params, x, *args, **refs)
            return smooth(at, std=std, num_samples=num_samples)(x, key=noise)

        return parameter_randomisation(
            smoothed,
            similarity=similarity,
            order=order,
            layers=layers,
            randomise=randomise,
            chunk_size=chunk_size,
        )(params, x, *args, key=key, **refs)

    return measure


def efficient_parameter_randomisation(
    explain: Explains[Any],
    *,
    num_bins: int = 100,
    randomise: Randomise = randomised,
) -> Averaged[Scalar]:
    r"""How much more complex an explanation becomes when the model is randomised.

    $$\frac{H(\phi(x; \theta')) - H(\phi(x; \theta))}{H(\phi(x; \theta))}$$

    with `H` the entropy of a histogram of the map, and every parameter of `theta'`
    randomised. It compares no two maps, so it needs no similarity; the higher, the
    more the explanation had to do with what was learned. It sees how values are spread
    and not where: a map whose pixels are shuffled scores 0, as one that stays. Maps of
    a few large values have little entropy to begin with, and much to gain.

    Args:
        explain: `explain(params, x, *args, **refs)`, any explanation as a function of
            the parameters.
        num_bins: Number of bins, equally wide between the extremes of a map.
        randomise: As `parameter_randomisation`.

    Returns:
        `measure(params, x, *args, key, **refs)`, a scalar. NaN or infinite if the
        explanation is constant. Costs two explanations.

    Raises:
        ValueError: If `num_bins` is below 2, or `randomise` changes the shapes of
            `params`.
        TypeError: If `key` is missing, or no random key.

    Example:
        >>> explain = lambda w, x: w @ x
        >>> weights, x = jnp.eye(4), jnp.array([1.0, 1.0, 1.0, 9.0])
        >>> measure = efficient_parameter_randomisation(explain, num_bins=4)
        >>> jax.jit(measure)(weights, x, key=jax.random.key(0)).round(2)
        Array(0., dtype=float32)

    References:
        Hedstrom, Weber, Lapuschkin and Hohne (2024), *Sanity Checks Revisited*,
        arXiv:2401.06465: efficient MPRT, with 100 bins.
    """
    _checks.count("num_bins", num_bins, 2)

    def measure(
        params: Any, x: Any, /, *args: Any, key: PRNGKey = REQUIRED, **refs: Any
    ) -> Scalar:
        _checks.key(key, "efficient_parameter_randomisation")
        drawn = like(params, randomise(params, key))
        before, after = (
            histogram_entropy(explain(p, x, *args, **refs), num_bins=num_bins)
            for p in (params, drawn)
        )
        return (after - before) / before

    return measure


def mixed(
    params: Any,
    drawn: Any,
    chosen: Sequence[Array | bool],
    places: list[int],
    none: int,
) -> Any:
    leaves, treedef = jax.tree.flatten(params)
    mixed = [
        # Where no layer holds it, a leaf may be anything, such as a random key.
        own if place == none else jnp.where(pick, new.astype(own.dtype), own)
        for own, new, pick, place in zip(
            leaves, jax.tree.leaves(drawn), chosen, places, strict=True
        )
    ]
    return treedef.unflatten(mixed)
