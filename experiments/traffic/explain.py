"""Three explanations of one forecast: by hour and column, by day, and by column.

What is removed is replaced by a `background` of real training windows, one that ends at
each hour of the day, over which the attributions are averaged. So they add up to the
forecast minus the average forecast, a number with a meaning. A single baseline means
less here: the mean window is no hour of any day and 0.07 of a holiday, and a window of
zeros is an endless Monday midnight; a forecaster is trained on neither.

Integrated gradients also need what lies between two windows. Half of one hour's sine
and cosine and half of another's point to an hour between the two. But half of one ramp
from 0 to 23 and half of another is a day with two midnights: half way, a network that
counts hours jumps from one phase to the other, and no quadrature follows (measured on
the Metro table: gaps of thousands of vehicles/hour). With hours as ramps, the path
should start from the `mean_window`, where there is no phase to jump from.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import jaxplain as jx
from experiments.traffic.series import WINDOW, Table, hour_of_week, windows

DAY = 24
Values = jax.Array | np.ndarray


class Players(NamedTuple):
    """Columns that stand or fall together, as integer labels over a window."""

    names: tuple[str, ...]
    labels: np.ndarray


class Explanation(NamedTuple):
    """Of one window, in vehicles/hour.

    `by_hour` has the shape of the window and sums to `forecast - start`; `by_column`
    has one entry per player and sums to `forecast - average`; `by_day` is what each day
    is worth while the others are in place, the earliest first, and sums to neither.
    """

    forecast: Values
    average: Values
    start: Values
    by_hour: Values
    by_day: Values
    by_column: Values
    completeness_gap: Values


def players(columns: tuple[str, ...], together: Mapping[str, str]) -> Players:
    """One player per column, or per set of columns with the same name in `together`.

    Sine and cosine of the hour are one fact, and so are the indicators of the weather:
    a window with the sine of one hour and the cosine of another is no window.
    """
    owner = [together.get(column, column) for column in columns]
    names = tuple(dict.fromkeys(owner))
    labels, _ = jx.groups.columns((WINDOW, len(columns)))
    player_of_column = np.array([names.index(name) for name in owner])
    return Players(names, player_of_column[labels])


def by_player(by_hour: Values, players: Players) -> np.ndarray:
    """An attribution by hour and column, summed to one number per player."""
    labels = np.broadcast_to(players.labels, by_hour.shape[-2:])
    of_player = [labels == i for i in range(len(players.names))]
    return np.stack([by_hour[:, mask].sum(axis=1) for mask in of_player], axis=1)


def background(
    table: Table, rows: np.ndarray, rng: np.random.Generator, num_hours: int = 24
) -> np.ndarray:
    """Training windows, drawn at random, whose targets are spread over the day."""
    hour = hour_of_week(table.time[rows]) % 24
    wanted = np.arange(num_hours) * 24 // num_hours
    chosen = np.array([rng.choice(rows[hour == h]) for h in wanted])
    return windows(table.inputs, chosen)


def mean_window(table: Table, rows: np.ndarray) -> np.ndarray:
    """The mean of all training windows, as a stack of one: constant over its hours."""
    mean = table.inputs[rows].mean(axis=0)
    return np.broadcast_to(mean, (1, WINDOW, len(table.columns))).copy()


def explainer(
    f: Callable[..., jax.Array],
    background: np.ndarray,
    starts: np.ndarray,
    players: Players,
    key: jax.Array,
    *,
    steps: int = 128,
    num_samples: int = 1024,
) -> Callable[..., Explanation]:
    """`explain(windows, *args)`, compiled: explanations of a stack of windows.

    With up to ten players, `num_samples=1024` evaluates every coalition, and
    KernelSHAP is exact.

    Args:
        f: The forecast, `f(window, *args)`.
        background: Windows that stand for what is absent: (number, hours, columns).
        starts: Windows from which the paths of integrated gradients start.
        players: Columns that KernelSHAP adds and removes together.
        key: Draws coalitions where there are too many to evaluate all.
        steps: Gradients per path.
        num_samples: Coalitions per window and background.
    """
    num_players = len(players.names)
    days, num_days = jx.groups.windows(WINDOW, size=DAY)
    # Between real windows the forecast turns sharply: with 128 steps, Gauss-Legendre
    # leaves gaps of up to 44 vehicles/hour, and the midpoint rule of up to 3.
    gradients = jx.integrated_gradients(f, steps=steps, rule="riemann_middle")
    gradients = jx.expected(gradients, chunk_size=4)
    occlusion = jx.expected(jx.occlusion(f, num_groups=num_days))
    kernel_shap = jx.expected(
        jx.kernel_shap(f, num_samples=num_samples, num_groups=num_players),
        chunk_size=1,
    )
    # The gap is linear in the baseline's forecast, so it averages as attributions do.
    gap = jx.expected(jx.metrics.completeness_gap(f))
    background, starts = jnp.asarray(background), jnp.asarray(starts)

    def explain(window: jax.Array, *args: object) -> Explanation:
        by_hour = gradients(window, *args, baseline=starts)
        average = lambda stack: jax.vmap(lambda b: f(b, *args))(stack).mean()
        return Explanation(
            forecast=f(window, *args),
            average=average(background),
            start=average(starts),
            by_hour=by_hour,
            by_day=occlusion(window, *args, baseline=background, groups=days),
            by_column=kernel_shap(
                window, *args, baseline=background, groups=players.labels, key=key
            ),
            completeness_gap=gap(window, *args, attribution=by_hour, baseline=starts),
        )

    @jax.jit
    def explain_all(stack: jax.Array, *args: object) -> Explanation:
        return jax.lax.map(lambda window: explain(window, *args), stack)

    return explain_all
