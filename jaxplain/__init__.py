"""Explanations as function transformations, for any JAX model."""

from . import cam as cam
from . import coalitions as coalitions
from . import groups as groups
from . import metrics as metrics
from . import paths as paths
from . import perturbations as perturbations
from . import plot as plot
from . import rules as rules
from . import shapley as shapley
from . import surrogates as surrogates
from . import tables as tables
from . import text as text
from .cam import grad_cam as grad_cam
from .combinators import expected as expected
from .combinators import monte_carlo as monte_carlo
from .combinators import smooth as smooth
from .games import game as game
from .gradients import input_x_gradient as input_x_gradient
from .gradients import integrated_gradients as integrated_gradients
from .gradients import saliency as saliency
from .layers import LayerError as LayerError
from .layers import cut as cut
from .layers import tap as tap
from .layers import taps as taps
from .perturbations import occlusion as occlusion
from .shapley import Estimate as Estimate
from .shapley import Interactions as Interactions
from .shapley import banzhaf_values as banzhaf_values
from .shapley import faith_shap as faith_shap
from .shapley import gp_shap as gp_shap
from .shapley import kernel_shap as kernel_shap
from .shapley import leverage_shap as leverage_shap
from .shapley import msr_shap as msr_shap
from .shapley import owen_shap as owen_shap
from .shapley import owen_values as owen_values
from .shapley import permutation_shap as permutation_shap
from .shapley import shapley_fit as shapley_fit
from .shapley import shapley_interactions as shapley_interactions
from .shapley import shapley_until as shapley_until
from .shapley import shapley_values as shapley_values
from .surrogates import Surrogate as Surrogate
from .surrogates import lime as lime
from .surrogates import surrogate as surrogate

__version__ = "0.1.0"
