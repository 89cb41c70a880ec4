"""Is the explanation any good? Numbers and curves, as transformations of `f`."""

from ._agreement import cosine as cosine
from ._agreement import kendall as kendall
from ._agreement import pearson as pearson
from ._agreement import rank_correlation as rank_correlation
from ._agreement import top_k as top_k
from ._completeness import completeness_gap as completeness_gap
from ._curves import Curve as Curve
from ._curves import deletion as deletion
from ._curves import insertion as insertion
from ._erasure import comprehensiveness as comprehensiveness
from ._erasure import sufficiency as sufficiency
from ._faithfulness import faithfulness_correlation as faithfulness_correlation
from ._faithfulness import faithfulness_estimate as faithfulness_estimate
from ._faithfulness import monotonicity as monotonicity
from ._flipping import pixel_flipping as pixel_flipping
from ._flipping import region_perturbation as region_perturbation
from ._fragility import Attacked as Attacked
from ._fragility import fragility as fragility
from ._infidelity import infidelity as infidelity
from ._invariance import input_invariance as input_invariance
from ._layers_of import parameter_layers as parameter_layers
from ._logit import random_logit as random_logit
from ._non_sensitivity import NonSensitivity as NonSensitivity
from ._non_sensitivity import non_sensitivity as non_sensitivity
from ._perturbed import Perturbed as Perturbed
from ._perturbed import gaussian as gaussian
from ._perturbed import squares as squares
from ._perturbed import to_baseline as to_baseline
from ._place import average_precision as average_precision
from ._place import iou as iou
from ._place import pointing_game as pointing_game
from ._place import relevance_mass as relevance_mass
from ._place import relevance_rank as relevance_rank
from ._place import roc_auc as roc_auc
from ._randomisation import Randomisation as Randomisation
from ._randomisation import (
    efficient_parameter_randomisation as efficient_parameter_randomisation,
)
from ._randomisation import parameter_randomisation as parameter_randomisation
from ._randomisation import (
    smooth_parameter_randomisation as smooth_parameter_randomisation,
)
from ._randomised import randomised as randomised
from ._road import road as road
from ._sensitivity import max_sensitivity as max_sensitivity
from ._sensitivity import mean_sensitivity as mean_sensitivity
from ._sensitivity import worst_sensitivity as worst_sensitivity
from ._simplicity import effective_complexity as effective_complexity
from ._simplicity import entropy as entropy
from ._simplicity import histogram_entropy as histogram_entropy
from ._simplicity import sparseness as sparseness
from ._ssim import ssim as ssim
from ._stability import local_lipschitz as local_lipschitz
from ._stability import relative_input_stability as relative_input_stability
from ._stability import relative_output_stability as relative_output_stability
from ._stability import (
    relative_representation_stability as relative_representation_stability,
)
from ._thresholds import area_under_precision as area_under_precision
from ._thresholds import area_under_recall as area_under_recall
from ._thresholds import information as information
from ._thresholds import mask_entropy as mask_entropy
