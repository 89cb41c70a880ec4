"""The one place that knows how JAX writes a program down.

Everything that touches `jax.extend.core` or the parameters of an equation is here, and
in `layers` and `rules`, which are built on these functions; `tests/test_jaxpr.py` pins
them.
"""

from ._avals import aval as aval
from ._avals import struct as struct
from ._avals import zeros as zeros
from ._interpret import Replace as Replace
from ._interpret import interpret as interpret
from ._interpret import rebuild as rebuild
from ._interpret import remat as remat
from ._interpret import scan_operands as scan_operands
from ._interpret import scan_options as scan_options
from ._programs import LOOPS as LOOPS
from ._programs import bind as bind
from ._programs import bodies as bodies
from ._programs import call_body as call_body
from ._programs import environment as environment
from ._programs import hidden_bodies as hidden_bodies
from ._programs import is_array as is_array
from ._programs import read as read
from ._programs import trace as trace
from ._programs import unflatten_like as unflatten_like
from ._split import dependents as dependents
from ._split import split as split
