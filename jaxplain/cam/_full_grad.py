"""Full gradients: what `f` owes to its input, and to the biases of its layers."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias, runtime_checkable

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, JaxprEqn
from jaxtyping import Array, PyTree

from .. import _checks, _jaxpr, _tree, frameworks
from .._tap import tap
from .._types import Mapped, Scalar, ScalarFn, Ts, X, X_contra
from ..layers import LayerError
from ..layers._find import is_name, resolve, sites, sites_of
from ..layers._harvest import harvest
from ._upsample import over

Key: TypeAlias = tuple[str, str]
"""A layer: the module that it is in, and its name there."""

_MERGED: Key = "", "jaxplain full gradients"


class FullGradients(NamedTuple):
    """A score, taken apart into what its input and its layers contribute.

    Attributes:
        input: What the input contributes, shaped like it.
        biases: What the biases of each layer contribute, shaped like the layer, in the
            order of `at`.
        rest: What no layer of `at` accounts for, such as the bias of a later one.
    """

    input: PyTree
    biases: tuple[Array, ...]
    rest: Scalar


@runtime_checkable
class Decomposed(Protocol[X_contra, *Ts]):
    """Same arguments as `f`; the parts that its value is the sum of."""

    def __call__(self, x: X_contra, /, *args: *Ts) -> FullGradients: ...


def full_gradients(f: ScalarFn[X, *Ts], *, at: Sequence[str]) -> Decomposed[X, *Ts]:
    r"""Take `f` apart into what its input and the biases of its layers contribute.

    $$f(x) = \langle x, \nabla_x f \rangle + \sum_l \langle b_l, \nabla_{z_l} f \rangle
    + r$$

    Complete: all entries of all parts sum to `f(x)`, whatever `f` and `at` are. The
    bias $b_l$ of a layer is its intercept: its value $z_l$, less the derivative there
    along the input and along the layers of `at` before it. No parameter is looked
    up: for a convolution or a dense layer it is the bias, for batch normalisation in
    inference $\beta - \mu \gamma / \sigma$, and after a smooth activation it has the
    implicit bias of the paper in it. A piecewise linear `f` has $r = 0$ if every layer
    that adds a constant is in `at`: name the output of the model too. Costs one
    gradient and one derivative forwards.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        at: Names of the layers, as listed by `taps`: the outputs of those with biases,
            before their activations.

    Returns:
        `explain(x, *args)`, a `FullGradients` in the units of `f`.

    Raises:
        ValueError: If `f` does not return a scalar, `x` is empty, `at` repeats a layer,
            or one of them is not one array.
        TypeError: If `x` or a layer holds integers, or `at` is a string.
        LayerError: If there is no such layer, or it is inside of a function with a
            derivative of its own.

    Example:
        >>> f = lambda x: jax.nn.relu(tap(2 * x + 3.0, "z")).sum()
        >>> explain = cam.full_gradients(f, at=["z"])
        >>> explain(jnp.array([1.0, -2.0]))
        FullGradients(input=Array([ 2., -0.], dtype=float32),
                      biases=(Array([3., 0.], dtype=float32),),
                      rest=Array(0., dtype=float32))

    References:
        Srinivas and Fleuret (2019), *Full-Gradient Representation for Neural Network
        Visualization*, arXiv:1905.00780, section 3.
    """
    if isinstance(at, str):
        raise TypeError(
            f"`at` must be a sequence of names, but is {at!r}. For one layer, pass "
            f"`at=[{at!r}]`."
        )

    def explain(x: X, /, *args: *Ts) -> FullGradients:
        x = _checks.inputs(x)
        number = len(jax.tree.leaves(x))
        run, arrays, order = _segments(_checks.scalar(f), x, args, tuple(at))
        inputs, others = arrays[:number], arrays[number:]
        values, _ = run([*inputs, *others], None, None)

        def shifted(inputs: list[Array], shifts: list[Array]) -> Array:
            return run([*inputs, *others], shifts, jnp.add)[1]

        def replaced(
            inputs: list[Array], new: list[Array]
        ) -> tuple[list[Array], Array]:
            return run([*inputs, *others], new, lambda _, value: value)

        zeros = [jnp.zeros_like(value) for value in values]
        by_input, by_layer = jax.grad(shifted, (0, 1))(inputs, zeros)
        # Each layer starts anew from its value, so its tangent is what the input and
        # the layers before it explain. The intercept is what they do not.
        start = (inputs, values)
        (_, y), (explained, slope) = jax.jvp(replaced, start, start)
        intercepts = map(jnp.subtract, values, explained)
        parts = list(map(jnp.multiply, intercepts, by_layer))
        treedef = jax.tree.structure(x)
        return FullGradients(
            treedef.unflatten(map(jnp.multiply, inputs, by_input)),
            tuple(parts[i] for i in order),
            y - slope,
        )

    return explain


def _segments(
    f: Callable[..., Any], x: Any, args: tuple[Any, ...], at: tuple[str, ...]
) -> tuple[Callable[..., tuple[list[Array], Array]], list[Any], list[int]]:
    """`f` as `run(arrays, new, plant) -> values, y`, open at all the layers at once.

    Also the arrays that `f` takes, and where each name of `at` is among the values.
    """
    with frameworks.listening():
        closed, arrays, _ = _jaxpr.trace(f, x, *args)
    calls = _calls(closed, at)
    keys = {key for key, _ in calls}
    found = [site.key for site in sites(closed) if site.key in keys]
    merged = _merge(closed, arrays, keys)
    if sum(site.key == _MERGED for site in sites(merged)) != len(found):
        names = sorted(name for _, name in keys)
        raise LayerError(
            f"one of the layers {names} is inside of a function with a derivative of "
            "its own, which full gradients do not open. Name what it returns with "
            "`jaxplain.tap`."
        )
    place = {(key, found[:i].count(key)): i for i, key in enumerate(found)}
    chosen = sorted(place[call] for call in calls)
    picked = [i in chosen for i in range(len(found))]

    def run(
        arrays: list[Any], new: list[Array] | None, plant: Any
    ) -> tuple[list[Array], Array]:
        plants: list[Any] = [None] * len(found)
        for i, value in zip(chosen, new or [], strict=new is not None):
            plants[i] = [value]
        outs, reaped = harvest(_MERGED, merged, arrays, plants, picked, plant)
        return [reaped[i][0] for i in chosen], outs[0]

    return run, arrays, [chosen.index(place[call]) for call in calls]


def _calls(closed: ClosedJaxpr, at: tuple[str, ...]) -> list[tuple[Key, int]]:
    """The layers of `at`, each one call of one floating-point array."""
    calls = []
    for name in at:
        layer, picked = resolve(sites(closed), name)
        values = [layer[i].value for i in picked]
        _checks.one_array(values[0] if len(values) == 1 else values, name)
        calls.append((layer[0].key, picked[0]))
    if len(set(calls)) < len(calls):
        raise ValueError(f"`at` must name each layer once, but is {list(at)}.")
    return calls


def _merge(closed: ClosedJaxpr, arrays: list[Any], keys: set[Key]) -> ClosedJaxpr:
    """The same program, where all the layers of `keys` are calls of one."""

    def replace(eqn: JaxprEqn) -> Callable[..., list[Any]] | None:
        if is_name(eqn) and sites_of(eqn)[0].key in keys:
            return lambda *values: tap(list(values), _MERGED[1])
        return None

    def renamed(*arrays: Any) -> list[Any]:
        return _jaxpr.interpret(closed, arrays, replace, open_custom=False)

    return jax.make_jaxpr(renamed)(*arrays)


def full_grad(f: ScalarFn[X, *Ts], *, at: Sequence[str]) -> Mapped[X, *Ts]:
    r"""How much the input, and the biases of layers, contribute at each position.

    $$L = \sum_c |x \odot \nabla_x f|_c + \sum_l \frac{Z_l}{Z} \, \mathrm{up}\Big(
    \sum_k \left|b_l \odot \nabla_{z_l} f\right|_k\Big)$$

    The parts of `cam.full_gradients`, without their signs, at the resolution of the
    input. All of them are in the units of `f`, so they are added as they are: a layer
    of $Z_l$ positions is stretched over the $Z$ of the input, and keeps its sum if the
    input has a whole number of pixels per position. The paper rescales every part to
    $[0, 1]$ instead, which makes much of a part that contributes nothing. Costs one
    gradient and one derivative forwards.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        at: Names of the layers, as listed by `taps`: the outputs of those with biases,
            before their activations, where they still have axes of space.

    Returns:
        `explain(x, *args)`, of the shape of the leading axes of `x`, as many as the
        layers have before their channels, in the dtype of `x`. Never negative.

    Raises:
        ValueError: If `f` does not return a scalar, `x` is not one array, or is empty,
            `at` is empty or repeats a layer, or a layer is not one array with channels
            and at least one other axis, of which all have the same number.
        TypeError: If `x` or a layer holds integers, or `at` is a string.
        LayerError: If there is no such layer, or it is inside of a function with a
            derivative of its own.

    Example:
        >>> f = lambda x: jax.nn.relu(tap(2 * x + 3.0, "z")).sum()
        >>> cam.full_grad(f, at=["z"])(jnp.array([[1.0], [-1.0], [-2.0]]))
        Array([5., 5., 0.], dtype=float32)

    References:
        Srinivas and Fleuret (2019), *Full-Gradient Representation for Neural Network
        Visualization*, arXiv:1905.00780, section 4.
    """
    decompose = full_gradients(f, at=at)

    def explain(x: X, /, *args: *Ts) -> Array:
        parts = decompose(x, *args)
        image = _one_image(parts, at)
        space = parts.biases[0].ndim - 1
        magnitude = _magnitude(image.reshape(*image.shape[:space], -1))
        for part, name in zip(parts.biases, at, strict=True):
            small = _magnitude(part).astype(magnitude.dtype)
            large = over(magnitude, small, name)
            magnitude += large * (small.size / large.size)
        return magnitude.astype(image.dtype)

    return explain


def _one_image(parts: FullGradients, at: Sequence[str]) -> Array:
    for part, name in zip(parts.biases, at, strict=True):
        _checks.features(part, name)
    image, ranks = parts.input, {part.ndim for part in parts.biases}
    if len(ranks) != 1 or not isinstance(image, jax.Array):
        shapes = [_checks.show(part) for part in parts.biases]
        raise ValueError(
            "`full_grad` stretches layers over one array: they must have one number of "
            f"axes, but are {shapes}, for `x` of {jax.tree.map(_checks.show, image)}. "
            "Take the parts as they are, from `jaxplain.cam.full_gradients`."
        )
    return image


def _magnitude(part: Array) -> Array:
    wide = _tree.accumulator(part.dtype)
    return jnp.sum(jnp.abs(part.astype(wide)), -1)
