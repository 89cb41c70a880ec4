"""Explanations as function transformations, for any JAX model."""

from . import cam as cam
from . import coalitions as coalitions
from . import groups as groups
from . import metrics as metrics
from . import plot as plot
from . import rules as rules
from . import surrogates as surrogates
from .cam import grad_cam as grad_cam
from .combinators import expected as expected
from .combinators import monte_carlo as monte_carlo
from .combinators import smooth as smooth
from .games import game as game
from .games import occlusion as occlusion
from .gradients import input_x_gradient as input_x_gradient
from .gradients import integrated_gradients as integrated_gradients
from .gradients import saliency as saliency
from .layers import LayerError as LayerError
from .layers import cut as cut
from .layers import tap as tap
from .layers import taps as taps
from .shapley import kernel_shap as kernel_shap
from .surrogates import Surrogate as Surrogate
from .surrogates import lime as lime
from .surrogates import surrogate as surrogate

__version__ = "0.1.0"
