"""Messages that rooms share: what was expected, what came, what to do.

All of them are raised while tracing, from shapes, dtypes and Python values alone.
"""

from ._groups import enough_samples as enough_samples
from ._groups import few_players as few_players
from ._groups import label_range as label_range
from ._groups import labels as labels
from ._groups import mask_like as mask_like
from ._groups import mask_of_groups as mask_of_groups
from ._groups import players as players
from ._groups import several_players as several_players
from ._groups import statistics_of as statistics_of
from ._inputs import baseline as baseline
from ._inputs import inputs as inputs
from ._inputs import scalar as scalar
from ._inputs import spread_of_noise as spread_of_noise
from ._inputs import stack as stack
from ._options import choice as choice
from ._options import chunk_size as chunk_size
from ._options import count as count
from ._options import even_samples as even_samples
from ._options import key as key
from ._options import positive as positive
from ._options import sizes as sizes
from ._shapes import features as features
from ._shapes import given as given
from ._shapes import one_array as one_array
from ._shapes import ranking as ranking
from ._shapes import replacement as replacement
from ._shapes import same_shapes as same_shapes
from ._show import describe as describe
from ._show import is_traced as is_traced
from ._show import show as show
from ._unions import one_union_each as one_union_each
from ._unions import union_labels as union_labels
from ._unions import union_levels as union_levels
