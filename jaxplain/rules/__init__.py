"""Rules: the same function, with another way back.

A rule belongs to an equation of the traced program, not to a module, so it reaches
activations that are inline, shared, or inside a scan.
"""

from ._deep_lift import deep_lift as deep_lift
from ._deep_lift import multipliers as multipliers
from ._guided import deconvolution as deconvolution
from ._guided import guided as guided
from ._relevance import lrp as lrp
from ._rewrite import rewrite as rewrite
from ._shares import Rule as Rule
from ._shares import Share as Share
from ._shares import alphabeta as alphabeta
from ._shares import epsilon as epsilon
from ._shares import flat as flat
from ._shares import gamma as gamma
from ._shares import wsquare as wsquare
from ._shares import zbox as zbox
from ._shares import zplus as zplus
