"""Penalties on explanations, to train with."""

from ._penalties import graph_laplacian as graph_laplacian
from ._penalties import sparsity as sparsity
from ._penalties import total_variation as total_variation
from ._right_reasons import right_reasons as right_reasons
