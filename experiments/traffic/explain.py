"""Three explanations of one forecast: by hour and column, by day, and by column.

All three replace what they remove by the same `background`: real training windows, one
that ends at each hour of the day, over which the attributions are averaged. So they add
up to the forecast minus the average forecast of the background, a number with a
meaning. A single baseline would have none here: in the mean window it is no hour of the
day (its sine and cosine are both 0) and 0.07 of a holiday, and the window of zeros is a
Monday at midnight; the network was trained on neither.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import jaxplain as jx
from experiments.traffic.series import WINDOW, Table, hour_of_week, windows

DAY = 24


class Players(NamedTuple):
    """Columns that stand or fall together, as integer labels over a window."""

    names: tuple[str, ...]
    labels: np.ndarray


class Explanation(NamedTuple):
    """Of one window, in vehicles/hour: each sums to `forecast - average`, but `by_day`.

    `by_hour` has the shape of the window; `by_day` is what each day of the window is
    worth with the others in place, the earliest first; `by_column` has one entry per
    player.
    """

    forecast: jax.Array
    average: jax.Array
    by_hour: jax.Array
    by_day: jax.Array
    by_column: jax.Array
    completeness_gap: jax.Array


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


def by_player(by_hour: np.ndarray, players: Players) -> np.ndarray:
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


def explainer(
    f: Callable[..., jax.Array],
    background: np.ndarray,
    players: Players,
    key: jax.Array,
    *,
    steps: int = 128,
    num_samples: int = 1024,
) -> Callable[..., Explanation]:
    """`explain(windows, *args)`, compiled: explanations of a stack of windows.

    With up to ten players, `num_samples=1024` evaluates every coalition, and
    KernelSHAP is exact; it then does not use the key.
    """
    num_players = len(players.names)
    days, num_days = jx.groups.windows(WINDOW, size=DAY)
    # The forecast of a recurrent network turns sharply along the path: Gauss-Legendre
    # of this many steps leaves gaps ten times as large as the midpoint rule's.
    gradients = jx.integrated_gradients(f, steps=steps, rule="riemann_middle")
    gradients = jx.expected(gradients, chunk_size=4)
    occlusion = jx.expected(jx.occlusion(f, num_groups=num_days))
    kernel_shap = jx.expected(
        jx.kernel_shap(f, num_samples=num_samples, num_groups=num_players),
        chunk_size=1,
    )
    # The gap is linear in the baseline's forecast, so it averages as attributions do.
    gap = jx.expected(jx.metrics.completeness_gap(f))
    absent = {"baseline": jnp.asarray(background)}

    def explain(window: jax.Array, *args: object) -> Explanation:
        by_hour = gradients(window, *args, **absent)
        return Explanation(
            forecast=f(window, *args),
            average=jax.vmap(lambda b: f(b, *args))(absent["baseline"]).mean(),
            by_hour=by_hour,
            by_day=occlusion(window, *args, **absent, groups=days),
            by_column=kernel_shap(
                window, *args, **absent, groups=players.labels, key=key
            ),
            completeness_gap=gap(window, *args, attribution=by_hour, **absent),
        )

    @jax.jit
    def explain_all(stack: jax.Array, *args: object) -> Explanation:
        return jax.lax.map(lambda window: explain(window, *args), stack)

    return explain_all
