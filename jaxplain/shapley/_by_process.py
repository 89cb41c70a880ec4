"""Shapley values by a Gaussian process."""

from .._types import Sampled, ScalarFn, Ts, X
from . import _methods


def gp_shap(
    f: ScalarFn[X, *Ts],
    *,
    per_player: bool = False,
    num_samples: int = 512,
    num_groups: int | None = None,
    chunk_size: int | None = None,
) -> Sampled[X, *Ts]:
    r"""Shapley values as the posterior mean of a Gaussian process over games.

    $$\frac{v(S) - v(S^c)}{2} = \beta^\top x_S + g(x_S), \qquad
    \mathrm{cov}\,(g(x), g(t)) \propto \prod_i (1 + \rho\, x_i t_i)
    - \prod_i (1 - \rho\, x_i t_i)$$

    Shapley values depend on the odd part of a game alone, and are linear in it, so
    their posterior is known in closed form. Main effects $\beta$ are free; interactions
    have a prior that decays with their order, of a bank of rates $\rho$ that the data
    choose among. Efficient, and exact where `kernel_shap` is: for games of pairwise
    interactions, and by enumeration where the budget covers all coalitions. Otherwise
    the most accurate estimator here for as many evaluations, by far on smooth models
    (see the page on Shapley values), and the one with the steadiest error bars
    (`shapley_fit`). Not quite linear in `f`, for it learns from its values.

    If one value of `f` is not finite, all values are NaN; so they are where the drawn
    coalitions do not determine the main effects, which happens near the least budget.

    Args:
        f: Function to explain: `f(x, *args)` returns a scalar.
        per_player: Learn a rate for each feature, where features differ in how much
            they interact: two to four times less squared error on smooth models, for
            some sixty Cholesky factorisations of its own for every input.
        num_samples: Number of coalitions between the empty and the full one. If they
            are sampled, `2 * d` is the least, and 10 to 20 for each feature a good
            number.
        num_groups: Number of groups $d$; leave out to value each entry of `x`.
        chunk_size: Number of coalitions evaluated at once; all of them by default.
            The memory for `f` follows it; the linear algebra takes a few matrices of
            `num_samples / 2` rows and columns, and `per_player` besides
            `num_samples * d ** 2 / 4` numbers.

    Returns:
        `explain(x, *args, baseline, key, groups=None)`, as `kernel_shap`. Costs at most
        `num_samples + 2` evaluations of `f`, and eight Cholesky factorisations that
        depend on the key alone: under `jax.vmap` with a shared key, all inputs share
        them.

    Raises:
        ValueError: As `kernel_shap`.
        TypeError: As `kernel_shap`.

    Example:
        >>> explain = gp_shap(lambda x: x[0] * x[1] + x[2])
        >>> explain(jnp.array([2.0, 3.0, 5.0]), baseline=0.0, key=jax.random.key(0))
        Array([3., 3., 5.], dtype=float32)

    References:
        The nearest published ideas are OddSHAP (2026), which regresses on the odd part
        of a game, and ShaplEIG (2026), which chooses coalitions by a Gaussian process.
        Rasmussen and Williams (2006), *Gaussian Processes for Machine Learning*,
        section 2.7, for the free linear part.
    """
    method = _methods.METHODS["gp_per_player" if per_player else "gp"]
    return _methods.values("gp_shap", method, f, num_samples, num_groups, chunk_size)
