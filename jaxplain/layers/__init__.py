"""Names inside a program: list them with `taps`, split there with `cut`."""

from .._tap import tap as tap
from ._cut import cut as cut
from ._cut import taps as taps
from ._find import LayerError as LayerError
