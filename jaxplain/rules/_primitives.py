"""What the primitives of JAX are to a rule, by name: names outlive releases."""

MOVES = frozenset(
    """
    broadcast_in_dim concatenate convert_element_type copy copy_p dynamic_slice
    dynamic_update_slice expand_dims gather name optimization_barrier pad pcast pvary
    reduce_precision reshape rev scatter sharding_constraint slice split squeeze stack
    tap tile transpose unstack
    """.split()
)
"""Every entry of the output is an entry of an operand."""

SUMS = frozenset(
    """
    add add_any cumsum neg psum reduce_sum reduce_window_sum scatter-add
    scatter-sub sub
    """.split()
)
"""Every entry of the output is a signed sum of entries of the operands."""

BILINEAR = frozenset("conv_general_dilated dot_general mul".split())

WINNERS = frozenset(
    "cummax cummin reduce_max reduce_min reduce_window_max reduce_window_min".split()
)
"""Every entry of the output is the winner among entries of the operand."""

ORDERED = frozenset("approx_top_k sort top_k".split())
"""Every entry of the output is an entry of an operand, chosen by the operands."""

SMOOTH = frozenset(
    """
    acos acosh asin asinh atan atan2 atanh bessel_i0e bessel_i1e cbrt cos cosh digamma
    div erf erf_inv erfc exp exp2 expm1 integer_pow lgamma log log1p logistic mul pow
    rsqrt sin sinh sqrt square tan tanh
    """.split()
)
"""Elementwise, with a derivative that is continuous where it is defined."""

KINKED = frozenset(
    "abs ceil clamp floor max min nextafter rem round select_n sign".split()
)
"""Elementwise, made of pieces."""

PREDICATES = frozenset(
    """
    and eq eq_to ge gt is_finite le le_to lt lt_to ne not or population_count
    shift_left shift_right_arithmetic shift_right_logical xor
    """.split()
)
"""Elementwise, without a gradient: comparisons, and what is done with them."""

ELEMENTWISE = (
    SMOOTH
    | KINKED
    | PREDICATES
    | frozenset("add add_any convert_element_type copy copy_p neg sub tap name".split())
)
"""Every entry of the output depends on one entry of each operand."""

GATES = frozenset("exp exp2 logistic rsqrt".split())
"""What comes out scales other values: LRP gives it no relevance in a product."""
