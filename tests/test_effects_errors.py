"""What a view over a data set refuses, word for word."""

from functools import partial

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from raising import cases, check

from jaxplain.effects import ale, h_statistic, ice, importance, mesh, quantile_grid

ROWS, GRID = np.arange(6.0).reshape(3, 2), np.array([0.0, 1.0])
curves, local = ice(jnp.sum), ale(jnp.sum)
at_first = partial(curves, feature=0, grid=GRID)
in_bins = partial(local, ROWS, feature=0)
named = {"a": ROWS[:, 0], "b": ROWS}
interact = h_statistic(jnp.sum)


@cases(
    no_feature=(
        lambda: curves(ROWS, grid=GRID),
        TypeError,
        "`feature` is missing: pass a column, for example `feature=0`, or several as "
        "one feature, `feature=[3, 4, 5]`.",
    ),
    a_column_that_is_not_there=(
        lambda: curves(ROWS, feature=[0, 2], grid=GRID),
        ValueError,
        "`feature` must be a column from 0 to 1, but is [0, 2]. The rows are "
        "float64[3,2].",
    ),
    no_column=(
        lambda: curves(ROWS, feature=[], grid=GRID),
        ValueError,
        "`feature` must be at least one column or name, but is []. Pass one, for "
        "example `feature=0`.",
    ),
    no_name=(
        lambda: curves(named, feature=(), grid=GRID),
        ValueError,
        "`feature` must be at least one column or name, but is (). Pass one, for "
        "example `feature='a'`.",
    ),
    a_column_twice_in_a_feature=(
        lambda: curves(ROWS, feature=[-1, 1], grid=np.eye(2)),
        ValueError,
        "`feature` must name each part once, but [-1, 1] has column 1 twice. Leave it "
        "out once.",
    ),
    a_name_twice_in_a_feature=(
        lambda: curves(named, feature=["a", "a"], grid=np.eye(2)),
        ValueError,
        "`feature` must name each part once, but ['a', 'a'] has 'a' twice. Leave it "
        "out once.",
    ),
    a_name_for_a_column=(
        lambda: curves(ROWS, feature=1.0, grid=GRID),
        TypeError,
        "`feature` must be the number of a column, or a list of them, but is 1.0. "
        "Names are for rows in a dict.",
    ),
    a_name_that_is_not_there=(
        lambda: curves(named, feature="c", grid=GRID),
        ValueError,
        "`feature` must be one of 'a', 'b', but is 'c'. Rows in a dict have features "
        "by name.",
    ),
    an_array_that_is_no_name=(
        lambda: curves(named, feature={"a"}, grid=GRID),
        ValueError,
        "`feature` must be one of 'a', 'b', but is {'a'}. Rows in a dict have features "
        "by name.",
    ),
    a_name_of_several_arrays=(
        lambda: curves({"a": named, "b": ROWS}, feature="a", grid=GRID),
        ValueError,
        "`feature` must be one array, but 'a' is {'a': 'float64[3]', 'b': "
        "'float64[3,2]'}. Give each of its arrays a name of its own, and put them "
        "together in `f`.",
    ),
    several_names_of_arrays=(
        lambda: curves(named, feature=["a", "b"], grid=GRID),
        ValueError,
        "several names make one feature if each is one number per row, but 'b' is "
        "float64[3,2]. Name it alone.",
    ),
    rows_of_numbers=(
        lambda: at_first(ROWS[0]),
        ValueError,
        "`rows` must be one array of shape (n, columns), or a dict of arrays, but is "
        "float64[2]. Put them in a dict, and take it apart in `f`.",
    ),
    rows_of_numbers_to_interact=(
        lambda: interact(ROWS[0]),
        ValueError,
        "`rows` must be one array of shape (n, columns), or a dict of arrays, but is "
        "float64[2]. Put them in a dict, and take it apart in `f`.",
    ),
    no_rows=(
        lambda: at_first(ROWS[:0]),
        ValueError,
        "`rows` must have the rows of a data set along the first axis of every leaf, "
        "but is float64[0,2]. Stack the rows with `jax.numpy.stack`; a single one is "
        "`row[None]`.",
    ),
    rows_of_words=(
        lambda: at_first({"a": np.array(["x", "y"])}),
        TypeError,
        "`rows` must hold numbers, but holds <U1. Code categories as integers or as "
        "columns of 0 and 1.",
    ),
    no_grid=(
        lambda: curves(ROWS, feature=0),
        TypeError,
        "`grid` is missing: pass the values that the feature takes, for example "
        "`grid=jaxplain.effects.quantile_grid(rows[:, 0])`.",
    ),
    an_empty_grid=(
        lambda: curves(ROWS, feature=0, grid=GRID[:0]),
        ValueError,
        "`grid` must hold at least one value of the feature, but has shape (0,). Pass "
        "a vector.",
    ),
    a_grid_of_one_column_for_two=(
        lambda: curves(ROWS, feature=[0, 1], grid=np.ones((4, 3))),
        ValueError,
        "`grid` must hold values of the feature, of shape (points, 2), but has shape "
        "(4, 3). Several columns take one value each, along the last axis.",
    ),
    halves_for_integers=(
        lambda: curves(ROWS.astype(int), feature=0, grid=GRID),
        TypeError,
        "`grid` must hold integers as the feature does, but is float64[2] for "
        "int64[3]. Pass integers, or make the rows floating-point.",
    ),
    halves_for_booleans=(
        lambda: curves(ROWS > 2, feature=0, grid=GRID),
        TypeError,
        "`grid` must hold booleans as the feature does, but is float64[2] for bool[3]. "
        "Pass booleans, or make the rows floating-point.",
    ),
    integers_that_are_too_large=(
        lambda: curves(ROWS.astype(np.int8), feature=0, grid=[0, 300]),
        ValueError,
        "`grid` must hold values that int8 can hold, but goes from 0 to 300. Widen the "
        "rows with `.astype(int)`.",
    ),
    a_grid_of_words=(
        lambda: curves(ROWS, feature=0, grid=["a"]),
        TypeError,
        "`grid` must hold numbers, but holds <U1. Pass the codes that the rows hold.",
    ),
    a_table_of_edges=(
        lambda: in_bins(edges=ROWS),
        ValueError,
        "`edges` must be a vector, but has shape (3, 2). Pass those of one feature; "
        "map over several with `jax.vmap`.",
    ),
    edges_without_end=(
        lambda: in_bins(edges=np.array([-np.inf, 2, np.inf])),
        ValueError,
        "`edges` must be finite, but 2 of 3 are not in float64. Begin with the least "
        "value of the column, and end with the largest.",
    ),
    edges_that_rows_cannot_tell_apart=(
        lambda: local(ROWS.astype("f4"), feature=0, edges=1e8 + np.arange(2)),
        ValueError,
        "`edges` must be distinct in float32, the dtype of the rows, but 100000000.0 "
        "and 100000001.0 are one number there. Subtract an offset from the column, or "
        "enable 64 bits.",
    ),
    one_edge=(
        lambda: in_bins(edges=np.array([1.0])),
        ValueError,
        "`edges` must be two or more numbers, but there is 1. A feature with one "
        "value has no local effect.",
    ),
    edges_twice=(
        lambda: in_bins(edges=np.array([0.0, 2, 2])),
        ValueError,
        "`edges` must ascend, but do not. Sort them and leave out what is there "
        "twice, as `jaxplain.effects.quantile_grid` does.",
    ),
    an_empty_bin=(
        lambda: in_bins(edges=np.array([0.0, 2, 3, 4])),
        ValueError,
        "`edges` must leave no bin empty, but no row lies between 2 and 3. Join it to "
        "its neighbour, or take the edges of `jaxplain.effects.quantile_grid`.",
    ),
    bins_of_several_columns=(
        lambda: local(ROWS, feature=[0, 1], edges=np.ones((2, 2))),
        TypeError,
        "`feature` must be one number per row, but is float64[3,2]: bins need an "
        "order. Code categories by rank in one column, and take the code apart in "
        "`f`.",
    ),
    one_feature_to_interact=(
        lambda: interact(ROWS, features=[1]),
        ValueError,
        "`features` must be at least two, but is [1]. A feature interacts with "
        "others: name them, or leave `features` out for all.",
    ),
    features_that_overlap=(
        lambda: interact(ROWS, features=[1, [0, -1]]),
        ValueError,
        "`features` must not overlap, but column 1 is in two of them. Name each column "
        "once.",
    ),
    names_that_overlap=(
        lambda: interact(named, features=["a", "b", "a"]),
        ValueError,
        "`features` must not overlap, but 'a' is in two of them. Name each column "
        "once.",
    ),
    features_that_are_no_list=(
        lambda: interact(ROWS, features="ab"),
        TypeError,
        "`features` must be a list of columns or names, but is 'ab'. Name at least "
        "two, or leave `features` out for all.",
    ),
    a_number_of_features=(
        lambda: interact(ROWS, features=2),
        TypeError,
        "`features` must be a list of columns or names, but is 2. Name at least two, "
        "or leave `features` out for all.",
    ),
    no_attribution=(
        lambda: importance(lambda row: 1)(ROWS),
        TypeError,
        "`explain` must return floating-point attributions, but returned int64. "
        "Select the attributions, for example "
        "`lambda *a, **k: surrogate(f)(*a, **k).weights`.",
    ),
    several_keys=(
        lambda: importance(lambda row, key: row)(ROWS, key=jr.split(jr.key(0))),
        ValueError,
        "`key` must be one key, but has shape (2,). Map over keys with `jax.vmap`, or "
        "pass one of them.",
    ),
    a_grid_of_nothing=(
        lambda: quantile_grid(GRID[:0]),
        ValueError,
        "`values` must hold at least one number, but is empty. Pass a column.",
    ),
    a_grid_of_gaps=(
        lambda: quantile_grid([1.0, np.nan]),
        ValueError,
        "`values` must be finite, but 1 of 2 are not. Leave them out.",
    ),
    a_grid_of_categories=(
        lambda: quantile_grid(["x", "y"]),
        TypeError,
        "`values` must hold real numbers, but holds <U1. Points have an order: code "
        "categories as integers.",
    ),
    a_mesh_of_nothing=(
        mesh,
        ValueError,
        "`grids` must be at least one vector, but there is none. Pass the values of "
        "each feature.",
    ),
    a_mesh_of_numbers=(
        lambda: mesh(GRID, 1.0),
        ValueError,
        "`grids` must be vectors, but one has shape (). Pass the values of one "
        "feature at a time.",
    ),
    several_outputs=(
        lambda: ice(lambda row: row)(ROWS, feature=0, grid=GRID),
        ValueError,
        "`f` must return a scalar, but returned shape (2,). Select one output, for "
        "example `lambda x: model(x)[label]`.",
    ),
)
def test_what_does_not_fit_is_an_error(call, error, message):
    check(call, error, message)
