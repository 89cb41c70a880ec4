"""Which inputs of `f` matter at all, over the whole range of each."""

from ._indices import sobol_indices as sobol_indices
from ._interactions import sobol_interactions as sobol_interactions
from ._morris import morris as morris
from ._types import ElementaryEffects as ElementaryEffects
from ._types import SobolInteractions as SobolInteractions
