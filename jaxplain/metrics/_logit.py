"""Does an explanation depend on which output it explains?"""

from collections.abc import Callable
from typing import Any, Protocol

from .._types import Explains
from ._agreement import rank_correlation


class Contrast(Protocol):
    """`measure(x, label, other, *args, **refs)` compares two explanations of `x`."""

    def __call__(
        self, x: Any, label: Any, other: Any, /, *args: Any, **refs: Any
    ) -> Any: ...


def random_logit(
    explain: Explains[Any], *, similarity: Callable[[Any, Any], Any] = rank_correlation
) -> Contrast:
    r"""How alike are the explanations of one output and of another?

    $$\mathrm{similarity}\left(\phi(x, c), \phi(x, c')\right)$$

    An explanation that hardly changes says where the input has structure, and not what
    speaks for the class. A low similarity alone proves little: with two classes whose
    logits are opposite, a gradient and its negative are as unlike as can be.

    Args:
        explain: `explain(x, label, *args, **refs)`: the label is its second argument,
            as in an explainer of `f(x, label)`.
        similarity: `similarity(own, other)` of two explanations; the paper takes
            `ssim`.

    Returns:
        `measure(x, label, other, *args, **refs)`, what `similarity` returns. Draw
        `other` among the other labels, or map over all of them. Costs two explanations.

    Example:
        >>> logits = lambda x: jnp.stack([x[0], 2 * x[0] + x[1]])
        >>> explain = saliency(lambda x, label: logits(x)[label])
        >>> random_logit(explain, similarity=cosine)(jnp.ones(2), 0, 1).round(2)
        Array(0.89, dtype=float32)

    References:
        Sixt, Granz and Landgraf (2020), *When Explanations Lie: Why Many Modified BP
        Attributions Fail*, arXiv:1912.09818, section 4.
    """

    def measure(x: Any, label: Any, other: Any, /, *args: Any, **refs: Any) -> Any:
        own = explain(x, label, *args, **refs)
        return similarity(own, explain(x, other, *args, **refs))

    return measure
