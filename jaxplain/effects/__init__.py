"""What `f` does with its features over a whole data set."""

from ._ale import ale as ale
from ._dependence import ice as ice
from ._dependence import partial_dependence as partial_dependence
from ._grids import mesh as mesh
from ._grids import quantile_grid as quantile_grid
from ._importance import importance as importance
from ._interaction import h_statistic as h_statistic
from ._types import Effect as Effect
from ._types import HStatistic as HStatistic
from ._types import Importance as Importance
from ._types import LocalEffects as LocalEffects
