"""Tables: rows of numbers and categories, explained one column at a time."""

from ._bins import Bins as Bins
from ._bins import moments as moments
from ._bins import quantiles as quantiles
from ._conditions import conditions as conditions
from ._continuous import continuous_lime as continuous_lime
from ._lime import lime as lime
from ._one_hot import OneHot as OneHot
from ._one_hot import decode as decode
from ._one_hot import encode as encode
from ._one_hot import on_codes as on_codes
from ._one_hot import one_hot as one_hot
