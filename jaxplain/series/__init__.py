"""Explanations of what unfolds in time, and how far back they have to look."""

from ._last_step import last_step as last_step
from ._moving import moving_average as moving_average
from ._past import Past as Past
from ._past import past as past
from ._unfocused import unfocused as unfocused
