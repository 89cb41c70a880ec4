"""Which features stand or fall together: integer labels, one per group.

What finds groups returns the labels and their number, ready for `groups=` and
`num_groups=`. It runs on the host, since the number of groups shapes the program.
"""

from ._grids import cells as cells
from ._grids import columns as columns
from ._grids import patches as patches
from ._grids import windows as windows
from ._regions import felzenszwalb as felzenszwalb
from ._regions import quickshift as quickshift
from ._regions import superpixels as superpixels
from ._several import prune as prune
from ._several import stack as stack
from ._several import unions as unions
from ._spread import spread as spread
