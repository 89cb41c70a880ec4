"""Linear models of a game around the input: LIME, with its error bars."""

from ._lime import lime as lime
from ._lime import surrogate as surrogate
from ._regress import regress as regress
from ._tends_to import lime_limit as lime_limit
from ._types import Fitted as Fitted
from ._types import Surrogate as Surrogate
