"""Simple models that stand in for `f`, judged by fidelity and size."""

from ._fidelity import Fidelity as Fidelity
from ._fidelity import fidelity as fidelity
from ._linear import Linear as Linear
from ._linear import linear as linear
from ._logistic import Logistic as Logistic
from ._logistic import logistic as logistic
from ._neighbourhood import neighbourhood as neighbourhood
from ._plain_tree import Tree as Tree
from ._plain_tree import tree as tree
from ._prune import Pruned as Pruned
from ._prune import prune as prune
from ._rules import tree_rules as tree_rules
from ._size import Size as Size
from ._size import size as size
from ._soft_tree import SoftTree as SoftTree
from ._soft_tree import path_probabilities as path_probabilities
from ._soft_tree import soft_tree as soft_tree
