"""Words as features: which tokens are present, which belong together, what they weigh.

A representation is a transformation of `f`, as an explainer is: it turns a function of
token ids, between which there is nothing, into one of which tokens are present.
"""

from ._html import Html as Html
from ._html import html as html
from ._labels import subwords as subwords
from ._labels import word_types as word_types
from ._present import masked as masked
from ._present import removed as removed
from ._split import split as split
from ._terminal import terminal as terminal
