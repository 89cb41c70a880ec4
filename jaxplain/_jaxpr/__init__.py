"""How JAX writes a program down.

What `jax.extend.core` offers is read here. `layers` and `rules` read the parameters of
single equations besides. `tests/test_jaxpr.py` pins these functions.
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
from ._programs import is_literal as is_literal
from ._programs import line as line
from ._programs import read as read
from ._programs import scopes as scopes
from ._programs import trace as trace
from ._programs import unflatten_like as unflatten_like
from ._programs import uses as uses
from ._split import dependents as dependents
from ._split import split as split
