"""Designs: which coalitions of features to evaluate.

A design is a function from the index of a sample to a mask, True where a feature is
present. It holds no table of masks, so any chunk of it can be drawn anywhere: the
same key gives the same coalitions for every chunk size and on every device.
"""

from ._enumerated import exhaustive as exhaustive
from ._enumerated import leave_one_out as leave_one_out
from ._independent import bernoulli as bernoulli
from ._independent import paired as paired
from ._permutations import permutations as permutations
from ._quasi_random import quasi_random as quasi_random
from ._stratified import Sizes as Sizes
from ._stratified import allocation as allocation
from ._stratified import stratified as stratified
