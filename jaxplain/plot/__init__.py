"""Figures of explanations: each draws on Axes and returns them.

Nothing is shown, and no global setting of matplotlib is read or changed beyond what
`matplotlib.pyplot.subplots` does when no Axes is passed.
"""

from ._bars import bars as bars
from ._cells import cells as cells
from ._explanation import explanation as explanation
from ._heatmap import heatmap as heatmap
from ._series import series as series
from ._shared import AGAINST as AGAINST
from ._shared import FAVOUR as FAVOUR
from ._shared import GREY as GREY
