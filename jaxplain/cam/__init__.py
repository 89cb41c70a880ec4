"""Class activation maps: the features of a layer, weighed by what they do to `f`."""

from . import reducers as reducers
from ._ablation import ablation_cam as ablation_cam
from ._ablation import score_cam as score_cam
from ._channels import grad_cam as grad_cam
from ._channels import grad_cam_plus_plus as grad_cam_plus_plus
from ._channels import xgrad_cam as xgrad_cam
from ._combined import guided_grad_cam as guided_grad_cam
from ._combined import over_layers as over_layers
from ._full_grad import FullGradients as FullGradients
from ._full_grad import full_grad as full_grad
from ._full_grad import full_gradients as full_gradients
from ._maps import activation_map as activation_map
from ._positions import eigen_cam as eigen_cam
from ._positions import eigen_grad_cam as eigen_grad_cam
from ._positions import hires_cam as hires_cam
from ._positions import layer_cam as layer_cam
from ._upsample import upsample as upsample
