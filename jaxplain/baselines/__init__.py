"""What an absent part of an input may look like: arrays to pass as `baseline=`."""

from ._blurred import blurred as blurred
from ._inpaint import inpaint as inpaint
from ._inpainted import inpainted as inpainted
from ._neutral import Neutral as Neutral
from ._neutral import neutral as neutral
from ._noisy_linear import noisy_linear as noisy_linear
from ._random import noise as noise
from ._random import shuffled as shuffled
from ._segments import segment_mean as segment_mean
