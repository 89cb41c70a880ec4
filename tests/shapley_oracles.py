"""Games as tables, and their values by brute force from the definitions.

Entry `sum(2 ** i for i in S)` of a table is the value of the coalition S. Each value is
a matrix: one row per player (or pair of them), one column per coalition.
"""

import functools
import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from explainers import quick_jit
from oracles import shapley_kernel

import jaxplain as jx


def look_up(x, table):
    """A game for JAX: `x` holds ones for who is present, and zeros."""
    place = jnp.asarray(2 ** np.arange(x.size), x.dtype)
    return table[jnp.rint(x @ place).astype(int)]


def tanh_network(x, into, shift, out):
    return out @ jnp.tanh(into @ x + shift)


def networks(number, d, hidden=8, seed=0):
    """Parameters of random networks with as many inputs, stacked."""
    random = np.random.RandomState(seed)
    into = random.randn(number, hidden, d) * (2 / d**0.5)
    return into, random.randn(number, hidden), random.randn(number, hidden)


def network_tables(into, shift, out):
    """Their games: every input is 1 or 0."""
    hidden = np.tanh(into @ masks(into.shape[2]).T + shift[..., None])
    return (out[:, None] @ hidden)[:, 0]


def masks(d):
    return (np.arange(2**d)[:, None] >> np.arange(d)) % 2


def players_of(table):
    return int(np.log2(len(table)))


def code(players):
    return sum(1 << i for i in players)


def without(d, *players):
    """Every coalition of the others, as a code and a size."""
    others = [i for i in range(d) if i not in players]
    for size in range(len(others) + 1):
        for chosen in itertools.combinations(others, size):
            yield code(chosen), size


def marginals(d, weight):
    """`weight(s)` times what a player adds to each coalition of s others."""
    matrix = np.zeros((d, 2**d))
    for i in range(d):
        for s, size in without(d, i):
            matrix[i, s | 1 << i] += weight(size)
            matrix[i, s] -= weight(size)
    return matrix


@functools.cache
def shapley(d):
    """Shapley (1953), equation 12."""
    return marginals(
        d,
        lambda s: math.factorial(s) * math.factorial(d - s - 1) / math.factorial(d),
    )


@functools.cache
def banzhaf(d):
    """Banzhaf (1965): the mean over the coalitions of the others."""
    return marginals(d, lambda s: 1 / 2 ** (d - 1))


@functools.cache
def interactions(d):
    """Grabisch and Roubens (1999), definition 2, of pairs: shape (d, d, 2 ** d)."""
    matrix = np.zeros((d, d, 2**d))
    for i, j in itertools.permutations(range(d), 2):
        for s, size in without(d, i, j):
            w = math.factorial(size) * math.factorial(d - size - 2)
            w /= math.factorial(d - 1)
            a, b = 1 << i, 1 << j
            for coalition, sign in ((s | a | b, 1), (s | a, -1), (s | b, -1), (s, 1)):
                matrix[i, j, coalition] += sign * w
    return matrix


def faith(table):
    """Tsai et al. (2023), equation 16, with multipliers for both ends.

    Returns main effects, and a symmetric matrix of pairs.
    """
    d = players_of(table)
    terms = [(), *((i,) for i in range(d)), *itertools.combinations(range(d), 2)]
    held = [[set(t) <= set(np.flatnonzero(m)) for t in terms] for m in masks(d)]
    held = np.array(held, float)
    n = len(terms)
    system, right = np.zeros((n + 2, n + 2)), np.zeros(n + 2)
    for s, row in enumerate(held[1:-1], start=1):
        w = shapley_kernel(d, bin(s).count("1"))
        system[:n, :n] += w * np.outer(row, row)
        right[:n] += w * row * table[s]
    for k, end in enumerate((0, -1)):
        system[n + k, :n] = system[:n, n + k] = held[end]
        right[n + k] = table[end]
    found = np.linalg.solve(system, right)
    pairs = np.zeros((d, d))
    for term, value in zip(terms[1 + d :], found[1 + d : n]):
        pairs[term] = pairs[term[::-1]] = value
    return found[1 : 1 + d], pairs


def owen(table, *levels):
    """The mean gain over every order that keeps the unions of all levels together."""
    d = players_of(table)

    def together(order):
        for labels in levels:
            runs = [label for label, _ in itertools.groupby(labels[i] for i in order)]
            if len(runs) > len(set(runs)):
                return False
        return True

    orders = [o for o in itertools.permutations(range(d)) if together(o)]
    phi = np.zeros(d)
    for order in orders:
        coalition = 0
        for i in order:
            phi[i] += table[coalition | 1 << i] - table[coalition]
            coalition |= 1 << i
    return phi / len(orders)


def quotient(table, labels):
    """The game in which each union is one player."""
    unions = 1 + max(labels)
    joined = [code(i for i, u in enumerate(labels) if m[u]) for m in masks(unions)]
    return table[joined]


def dual(table):
    """What a coalition takes away from everyone else."""
    return table[-1] - table[::-1]


def gaussian_process(table, seen, rates):
    """Universal kriging of the odd part of a game, from the coalitions `seen`.

    The covariance is dense, over all coalitions; each rate counts by its restricted
    likelihood, with the scale of the process integrated out. Returns the mean and the
    deviation of the Shapley values.
    """
    d = players_of(table)
    signs = 2 * masks(d) - 1
    odd = (table - table[::-1]) / 2
    x, y, n = signs[seen], odd[seen], len(seen)
    logs, means, variances = [], [], []
    for rho in rates:
        k = np.ones((2**d, 2**d))
        anti = np.ones((2**d, 2**d))
        for i in range(d):
            product = np.outer(signs[:, i], signs[:, i])
            k, anti = k * (1 + rho * product), anti * (1 - rho * product)
        k = k - anti
        k = k / k[0, 0]
        gram = k[np.ix_(seen, seen)]
        inverse = np.linalg.inv(gram)
        information = x.T @ inverse @ x
        beta = np.linalg.solve(information, x.T @ inverse @ y)
        rest = y - x @ beta
        scale = rest @ inverse @ rest / (n - d)
        # The game at all coalitions, and its Shapley values.
        weights = k[:, seen] @ inverse
        mean = signs @ beta + weights @ rest
        free = signs - weights @ x
        covariance = k - weights @ k[seen]
        covariance = covariance + free @ np.linalg.solve(information, free.T)
        student = (n - d) / (n - d - 2)
        values = shapley(d)
        logs.append(
            -(n - d) / 2 * np.log(scale)
            - np.linalg.slogdet(gram)[1] / 2
            - np.linalg.slogdet(information)[1] / 2
        )
        means.append(values @ mean)
        variances.append(student * scale * np.diag(values @ covariance @ values.T))
    share = np.exp(np.array(logs) - max(logs))
    share = share / share.sum()
    mean = share @ np.array(means)
    spread = np.array(variances) + (np.array(means) - mean) ** 2
    return mean, np.sqrt(share @ spread)


# As the library has them.

METHODS = {
    "gp": jx.gp_shap,
    "kernel": jx.kernel_shap,
    "leverage": jx.leverage_shap,
    "msr": jx.msr_shap,
    "permutation": jx.permutation_shap,
}
LINEAR = ["kernel", "leverage", "msr", "permutation"]


def by_method(methods):
    """Run a test for each method; but for two of them, only when time is no matter."""
    quick = ("gp", "leverage")
    return pytest.mark.parametrize(
        "method",
        [m if m in quick else pytest.param(m, marks=pytest.mark.slow) for m in methods],
    )


@functools.cache
def fitted(method, d=6, num_samples=40, **options):
    """The estimate of a table and a key: 40 of the 62 coalitions, compiled once."""
    fit = jx.shapley_fit(look_up, method=method, num_samples=num_samples, **options)
    return quick_jit(lambda table, key: fit(jnp.ones(d), table, baseline=0.0, key=key))


def recording(seen):
    """`look_up`, which writes down the coalitions that it is asked for."""

    def f(x, table):
        place = jnp.asarray(2 ** np.arange(x.size), x.dtype)
        jax.debug.callback(lambda c: seen.append(int(c)), jnp.rint(x @ place))
        return look_up(x, table)

    return f
