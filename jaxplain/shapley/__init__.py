"""Shapley values of the features of a function: exact, sampled, and their relatives."""

from ._by_enumeration import banzhaf_values as banzhaf_values
from ._by_enumeration import shapley_values as shapley_values
from ._by_permutation import permutation_shap as permutation_shap
from ._by_process import gp_shap as gp_shap
from ._by_regression import kernel_shap as kernel_shap
from ._by_regression import leverage_shap as leverage_shap
from ._by_regression import msr_shap as msr_shap
from ._fit import shapley_fit as shapley_fit
from ._interactions import Interactions as Interactions
from ._interactions import faith_shap as faith_shap
from ._interactions import shapley_interactions as shapley_interactions
from ._owen import owen_values as owen_values
from ._owen_sampled import owen_shap as owen_shap
from ._sample import Estimate as Estimate
from ._sequential import Statistics as Statistics
from ._sequential import accumulate as accumulate
from ._sequential import estimate as estimate
from ._sequential import shapley_until as shapley_until
