"""What JAX can write down, as functions of six numbers, by kind."""

import jax
import jax.numpy as jnp
import numpy as np

X = jnp.array([0.9, -1.3, 0.4, 2.1, -0.6, 1.7])
B = jnp.array([-0.5, 0.8, 1.1, 0.3, -1.9, 0.2])
MATRIX = jnp.asarray(np.cos(np.arange(24.0)).reshape(6, 4))
INDEX = jnp.array([5, 0, 0, 3])


@jax.custom_jvp
def cubed(x):
    return x**3


cubed.defjvp(lambda x, t: (cubed(x[0]), 3 * x[0] ** 2 * t[0]))


@jax.custom_vjp
def doubled(x):
    return 2 * x


doubled.defvjp(lambda x: (doubled(x), None), lambda _, g: (100 * g,))


def gated(x):
    return x[:3] * jax.nn.sigmoid(x[3:])


def attention(x):
    q = x.reshape(3, 2)
    return (jax.nn.softmax(q @ q.T) @ q).ravel()


def normalised(x):
    centred = x - x.mean()
    return centred / jnp.sqrt(jnp.mean(centred**2) + 1e-6)


def recurrent(x):
    step = lambda h, a: (jnp.tanh(h * 0.5 + a), h)
    last, states = jax.lax.scan(step, jnp.zeros(()), x, reverse=True)
    return jnp.append(states, last)


def accumulated(x):
    return jax.lax.fori_loop(0, 3, lambda i, c: c + jnp.sin(c) * (i + 1.0), x)


MOVES = {
    "concatenate": lambda x: jnp.concatenate([x[:2], 2 * x[3:]]),
    "stack": lambda x: jnp.stack([x[:2], x[4:]]).T.ravel(),
    "reshape": lambda x: x.reshape(2, 3).T.ravel(),
    "index": lambda x: x[1],
    "slice": lambda x: x[::-2],
    "gather": lambda x: x[INDEX],
    "take_along_axis": lambda x: jnp.take_along_axis(x, INDEX, 0),
    "dynamic_slice": lambda x: jax.lax.dynamic_slice(x, (INDEX[3],), (2,)),
    "dynamic_update_slice": lambda x: jax.lax.dynamic_update_slice(x, x[:2], (3,)),
    "set": lambda x: x.at[INDEX[0]].set(x[1] + x[2]),
    "add_at": lambda x: x.at[INDEX].add(x[:4]),
    "pad": lambda x: jnp.pad(x, (1, 2)),
    "roll": lambda x: jnp.roll(x, 2),
    "flip": lambda x: jnp.flip(x),
    "tile": lambda x: jnp.tile(x, 2),
    "repeat": lambda x: jnp.repeat(x, 2),
    "split": lambda x: jnp.split(x, 3)[1],
    "unstack": lambda x: jnp.unstack(x.reshape(3, 2))[2],
    "diagonal": lambda x: jnp.diag(x).ravel(),
    "lower_triangle": lambda x: jnp.tril(x.reshape(2, 3)).ravel(),
    "select": lambda x: jnp.where(X > 0, x, 3 * x),
    "mask": lambda x: x * (X > 0).astype(x.dtype),
    "cast": lambda x: x.astype(jnp.float32).astype(x.dtype),
}
SUMS = {
    "sum": lambda x: x.reshape(2, 3).sum(1),
    "mean": lambda x: x.reshape(2, 3).mean(0),
    "cumsum": jnp.cumsum,
    "reverse_cumsum": lambda x: jax.lax.cumsum(x, reverse=True),
    "diff": jnp.diff,
    "subtract": lambda x: x[:3] - x[3:],
    "subtract_at": lambda x: x.at[INDEX].subtract(x[:4]),
    "matmul": lambda x: x @ MATRIX,
    "einsum": lambda x: jnp.einsum(
        "ab,abc->c", x.reshape(2, 3), MATRIX.reshape(2, 3, 4)
    ),
    "convolve": lambda x: jnp.convolve(x, MATRIX[0, :3]),
    "residual": lambda x: x + jnp.tanh(x[::-1]),
}
ELEMENTWISE = {
    "exp": jnp.exp,
    "log": lambda x: jnp.log(x + 3),
    "log1p": lambda x: jnp.log1p(x + 2),
    "sqrt": lambda x: jnp.sqrt(x + 3),
    "tanh": jnp.tanh,
    "sin": jnp.sin,
    "erf": jax.lax.erf,
    "lgamma": lambda x: jax.lax.lgamma(x + 3),
    "square": jnp.square,
    "cube": lambda x: x**3,
    "power": lambda x: jnp.power(x + 3, 1.7),
    "base": lambda x: jnp.power(1.7, x),
    "reciprocal": lambda x: 1 / (x + 3),
    "rsqrt": lambda x: jax.lax.rsqrt(x + 3),
    "abs": jnp.abs,
    "sign": jnp.sign,
    "floor": jnp.floor,
    "round": jnp.round,
    "clip": lambda x: jnp.clip(x, -1.0, 1.5),
    "relu": jax.nn.relu,
    "relu6": jax.nn.relu6,
    "leaky_relu": jax.nn.leaky_relu,
    "elu": jax.nn.elu,
    "selu": jax.nn.selu,
    "celu": jax.nn.celu,
    "gelu": jax.nn.gelu,
    "exact_gelu": lambda x: jax.nn.gelu(x, approximate=False),
    "silu": jax.nn.silu,
    "mish": jax.nn.mish,
    "sigmoid": jax.nn.sigmoid,
    "softplus": jax.nn.softplus,
    "hard_swish": jax.nn.hard_swish,
    "log_sigmoid": jax.nn.log_sigmoid,
    "sinc": lambda x: jnp.sinc(x),
    "hard_tanh": jax.nn.hard_tanh,
    "soft_sign": jax.nn.soft_sign,
    "where": lambda x: jnp.where(x > 0, x, jnp.expm1(x)),
    "custom_jvp": cubed,
    "custom_vjp": doubled,
}
JOINT = {
    "product": lambda x: x[:3] * x[3:],
    "square_by_hand": lambda x: x * x,
    "dot": lambda x: x[:3] @ x[3:],
    "outer": lambda x: jnp.outer(x[:3], x[3:]).ravel(),
    "gram": lambda x: (x.reshape(2, 3) @ x.reshape(2, 3).T).ravel(),
    "autocorrelation": lambda x: jnp.convolve(x, x),
    "quotient": lambda x: x[:3] / (3 + x[3:]),
    "both_powers": lambda x: jnp.power(3 + x[:3], x[3:]),
    "prod": jnp.prod,
    "cumprod": jnp.cumprod,
    "gate": gated,
    "glu": jax.nn.glu,
    "norm": jnp.linalg.norm,
    "variance": jnp.var,
    "deviation": jnp.std,
    "softmax": jax.nn.softmax,
    "log_softmax": jax.nn.log_softmax,
    "logsumexp": lambda x: jax.nn.logsumexp(x),
    "logaddexp": lambda x: jnp.logaddexp(x[:3], x[3:]),
    "attention": attention,
    "layer_norm": normalised,
}
CHOICES = {
    "max": jnp.max,
    "min": jnp.min,
    "maximum": lambda x: jnp.maximum(x[:3], x[3:]),
    "minimum": lambda x: jnp.minimum(x[:3], 2 * x[3:]),
    "cummax": jax.lax.cummax,
    "max_of_parts": lambda x: x.reshape(2, 3).max(0),
}
CONTROL = {
    "jit": jax.jit(jnp.tanh),
    "checkpoint": jax.checkpoint(lambda x: jnp.tanh(x) * x),
    "vmap": jax.vmap(lambda a: jnp.tanh(a) * a),
    "map": lambda x: jax.lax.map(jnp.tanh, x),
    "scan": recurrent,
    "fori_loop": accumulated,
    "associative_scan": lambda x: jax.lax.associative_scan(jnp.add, x),
    "cond": lambda x: jax.lax.cond(X[0] > 0, jnp.sin, jnp.cos, x),
}
CHOSEN_BY_X = {
    "sort": jnp.sort,
    "sort_by_key": lambda x: x[jnp.argsort(-x)][:3],
    "top_k": lambda x: jax.lax.top_k(x, 2)[0],
    "median": jnp.median,
    "argmax": lambda x: x[jnp.argmax(x)],
    "one_hot_of_argmax": lambda x: jax.nn.one_hot(jnp.argmax(x), 6, dtype=x.dtype) * x,
    "where_of_another": lambda x: jnp.where(x[:3] > x[3:], x[3:], 2 * x[:3]),
    "cond": lambda x: jax.lax.cond(x[0] > 0, jnp.sin, lambda x: x**3, x),
    "switch": lambda x: jax.lax.switch(
        (x[3] > 1).astype(int) + (x[1] > 0).astype(int),
        [jnp.sin, jnp.tanh, lambda x: 2 * x],
        x,
    ),
}
KINDS = {
    "move": MOVES,
    "sum": SUMS,
    "elementwise": ELEMENTWISE,
    "joint": JOINT,
    "choice": CHOICES,
    "control": CONTROL,
    "chosen_by_x": CHOSEN_BY_X,
}
MIX = np.eye(6) - 0.25 * np.eye(6)[::-1]


def score(op):
    """The operation after a linear layer, and a weight for each of its results."""

    def f(x):
        y = jnp.ravel(op(x @ MIX))
        return jnp.cos(jnp.arange(y.size, dtype=y.dtype)) @ y

    return f
