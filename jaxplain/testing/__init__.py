"""Does an explainer keep its promises? Axioms and laws of JAX, as functions."""

from . import strategies as strategies
from ._axioms import check_complete as check_complete
from ._axioms import check_dummy as check_dummy
from ._axioms import check_sensitive as check_sensitive
from ._batch import check_batch as check_batch
from ._batch import check_devices as check_devices
from ._derivatives import check_differentiable as check_differentiable
from ._draw import KEY as KEY
from ._draw import LIKE_X as LIKE_X
from ._draw import STACK as STACK
from ._dtypes import check_dtype as check_dtype
from ._dtypes import check_precision as check_precision
from ._games import check_efficient as check_efficient
from ._games import check_shapley as check_shapley
from ._invariance import check_affine as check_affine
from ._invariance import check_invariant as check_invariant
from ._invariance import check_linear as check_linear
from ._invariance import check_symmetric as check_symmetric
from ._laws import check_chunks as check_chunks
from ._laws import check_jit as check_jit
from ._laws import check_key as check_key
from ._laws import check_traced_once as check_traced_once
from ._report import AXIOMS as AXIOMS
from ._report import LAWS as LAWS
from ._report import Report as Report
from ._report import check_explainer as check_explainer
