"""Is the explanation right, and how do we know? Tables, tests and a report."""

from ._compare import Comparison as Comparison
from ._compare import compare as compare
from ._compare import holm as holm
from ._evaluate import evaluate as evaluate
from ._interval import Interval as Interval
from ._interval import interval as interval
from ._report import report as report
from ._types import Cascade as Cascade
from ._types import Curves as Curves
from ._types import Evidence as Evidence
from ._types import Table as Table
