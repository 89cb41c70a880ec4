"""What happens to `f` when parts of the input are taken away, or exchanged."""

from ._hsic import hsic as hsic
from ._learned_mask import LearnedMask as LearnedMask
from ._learned_mask import learned_mask as learned_mask
from ._occlusion import occlusion as occlusion
from ._permutation import permutation_importance as permutation_importance
from ._rise import rise as rise
from ._rise import rise_fit as rise_fit
from ._sobol import SobolIndices as SobolIndices
from ._sobol import sobol as sobol
from ._sobol import sobol_fit as sobol_fit
