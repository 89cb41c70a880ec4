r"""An hourly traffic series from a process whose drivers are known.

Two years of hours. Row $k$ of the table describes hour $k$; the volume of hour $t$ is a
function of the 168 rows before it, and of nothing else but noise:

$$\text{volume}_t = g(x_{t-168}, \dots, x_{t-1}) + \varepsilon_t,
  \quad \varepsilon_t \sim N(0, 120^2)$$

$$g = \bigl(400 + (1 - o)\, C(h) + o\, L(h)\bigr)
      \cdot e^{-0.12\, R} \cdot e^{-0.05\, S}
      \cdot \bigl(1 + 0.1 \tanh((T - 10) / 10)\bigr)$$

| symbol | driver, read from the window |
|---|---|
| $h$ | hour of day of the target: one more than the last row's, as an angle |
| $C(h)$ | commuting: $3800\,B_{8,\,12} + 4300\,B_{17,\,8} + 2000\,B_{12.5,\,2}$ |
| $L(h)$ | leisure: $2600\,B_{14.5,\,2}$ |
| $B_{c,\kappa}(h)$ | a bump at hour $c$: $\exp(\kappa(\cos(2\pi(h - c)/24) - 1))$ |
| $o$ | day off: $1 - (1 - \text{weekend})(1 - \text{holiday})$ of the last row |
| $R$ | rain, in mm/h, mean of the last 3 rows |
| $S$ | snow on the road, in mm: $\sum_j e^{-j/12}\,\text{snow}_{t-1-j}$ |
| $T$ | temperature, in degrees Celsius, of the last row |

`clouds`, `wind` and `sensor` have **no** effect. Clouds follow rain and snow (a
forecaster could use them as a proxy), wind is as persistent as the temperature, and the
sensor is white noise.

Past traffic is deliberately not an input. It would mediate every driver: yesterday's
count already contains yesterday's weekday and snow, so credit given to it would be
neither right nor wrong. Without it, each input is a cause or is not.

Holidays are one day drawn in every fortnight, weekends included: more than any calendar
has, so that two years suffice to learn them, and drawn rather than dated, so that
neither the season nor the weekday can stand in for them.
"""

import math
from itertools import accumulate

import jax
import jax.numpy as jnp
import numpy as np

from experiments.traffic.series import WINDOW, Table

START = np.datetime64("2024-01-01T00", "h")  # a Monday
HOURS = 731 * 24
NOISE = 120.0

COLUMNS = (
    "hour_sin",
    "hour_cos",
    "weekend",
    "holiday",
    "temperature",
    "rain",
    "snow",
    "clouds",
    "wind",
    "sensor",
)
DRIVERS = ("hour", "weekend", "holiday", "temperature", "rain", "snow")
DISTRACTORS = ("clouds", "wind", "sensor")

TURN = 2 * math.pi / 24


def _bump(angle: tuple[jax.Array, jax.Array], centre: float, kappa: float) -> jax.Array:
    """`exp(kappa * (cos(h - centre) - 1))`, from the sine and cosine of `h`."""
    sin, cos = angle
    cos_difference = sin * math.sin(TURN * centre) + cos * math.cos(TURN * centre)
    return jnp.exp(kappa * (cos_difference - 1))


def road_snow(snow: jax.Array | np.ndarray) -> jax.Array | np.ndarray:
    """Snow left on the road, from that of the hours before: (..., hours) -> (...)."""
    age = np.arange(snow.shape[-1])[::-1]
    return snow @ np.exp(-age / 12).astype(snow.dtype)


def process(window: jax.Array) -> jax.Array:
    """The expected volume `g`, in vehicles/hour, after a window of (hours, columns)."""
    column = dict(zip(COLUMNS, window.T, strict=True))
    last = {name: values[-1] for name, values in column.items()}
    # The target is one hour after the last row: turn its angle by one more hour.
    angle = (
        last["hour_sin"] * math.cos(TURN) + last["hour_cos"] * math.sin(TURN),
        last["hour_cos"] * math.cos(TURN) - last["hour_sin"] * math.sin(TURN),
    )
    off = 1 - (1 - last["weekend"]) * (1 - last["holiday"])
    commuting = (
        3800 * _bump(angle, 8, 12)
        + 4300 * _bump(angle, 17, 8)
        + 2000 * _bump(angle, 12.5, 2)
    )
    leisure = 2600 * _bump(angle, 14.5, 2)
    slowdown = 0.12 * column["rain"][-3:].mean() + 0.05 * road_snow(column["snow"])
    warmth = 1 + 0.1 * jnp.tanh((last["temperature"] - 10) / 10)
    return (400 + (1 - off) * commuting + off * leisure) * jnp.exp(-slowdown) * warmth


def _persistent(rng: np.random.Generator, size: int, memory: float) -> np.ndarray:
    """A first-order autoregression with unit variance."""
    shocks = rng.standard_normal(size)
    shocks[1:] *= math.sqrt(1 - memory**2)
    return np.array(
        list(accumulate(shocks, lambda state, shock: memory * state + shock))
    )


def _wet_spells(rng: np.random.Generator, size: int) -> np.ndarray:
    """Whether it rains or snows: a seventh of the time, 8 hours on average."""
    start, stop, draws = 1 / 48, 1 / 8, rng.random(size)
    wet = np.zeros(size, bool)
    for hour in range(1, size):
        wet[hour] = draws[hour] < (1 - stop if wet[hour - 1] else start)
    return wet


def _inputs(rng: np.random.Generator, size: int) -> np.ndarray:
    hours = np.arange(size)
    hour, day = hours % 24, hours // 24
    fortnights = np.arange(day[-1] // 14 + 1)
    holidays = 14 * fortnights + rng.integers(14, size=len(fortnights))
    season = -np.cos(2 * np.pi * (day - 15) / 365.25)
    daily = np.cos(TURN * (hour - 15))
    temperature = 9 + 13 * season + 3 * daily
    temperature += 4 * _persistent(rng, size, 0.98)
    wet = _wet_spells(rng, size)
    amount = wet * rng.gamma(1.5, 1.2, size)
    clouds = 35 + 45 * wet + 20 * _persistent(rng, size, 0.95)
    columns = {
        "hour_sin": np.sin(TURN * hour),
        "hour_cos": np.cos(TURN * hour),
        "weekend": day % 7 >= 5,
        "holiday": np.isin(day, holidays),
        "temperature": temperature,
        "rain": np.where(temperature > 0, amount, 0.0),
        "snow": np.where(temperature > 0, 0.0, amount),
        "clouds": np.clip(clouds, 0, 100),
        "wind": 4 * np.exp(0.5 * _persistent(rng, size, 0.98)),
        "sensor": rng.standard_normal(size),
    }
    return np.stack([columns[name] for name in COLUMNS], axis=1).astype(np.float32)


@jax.jit
def expected_volumes(inputs: jax.Array) -> jax.Array:
    def volume(start: jax.Array) -> jax.Array:
        return process(jax.lax.dynamic_slice_in_dim(inputs, start, WINDOW))

    return jax.lax.map(volume, jnp.arange(len(inputs) - WINDOW), batch_size=512)


def generate(seed: int, num_hours: int = HOURS) -> Table:
    """Draw the weather, the holidays and the noise; the same table for the same seed.

    A week more than asked is drawn and dropped, so that the volume of the first hours
    has a whole window behind it too.
    """
    rng = np.random.default_rng(seed)
    inputs = _inputs(rng, WINDOW + num_hours)
    noise = NOISE * rng.standard_normal(num_hours)
    expected = np.asarray(expected_volumes(inputs))
    volume = np.maximum(expected + noise, 0).astype(np.float32)
    return Table(START + np.arange(num_hours), COLUMNS, inputs[WINDOW:], volume)
