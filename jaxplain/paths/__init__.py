"""Integrals of the gradient along paths, beyond the straight line at fixed nodes."""

from ._adaptive import PathEstimate as PathEstimate
from ._adaptive import adaptive_fit as adaptive_fit
from ._adaptive import adaptive_ig as adaptive_ig
from ._along import along as along
from ._blur import blur as blur
from ._blur import blur_ig as blur_ig
from ._expected import expected_gradients as expected_gradients
from ._guided import guided_ig as guided_ig
from ._hessians import integrated_hessians as integrated_hessians
from ._hessians import interactions_with as interactions_with
