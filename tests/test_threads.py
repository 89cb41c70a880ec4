"""Classes belong to the process, traces to a thread: nobody hears another's trace.

Every wait has a limit, so that threads that wait for each other fail the test.
"""

import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from helpers import assert_close

import jaxplain as jx

X = jnp.asarray(np.sin(np.arange(3.0)), jnp.float32)
LIMIT = 60  # seconds: many times what any test here takes


class Model(nnx.Module):
    def __init__(self, seed):
        self.hidden = nnx.Linear(3, 4, rngs=nnx.Rngs(seed))
        self.out = nnx.Linear(4, 1, rngs=nnx.Rngs(seed))

    def __call__(self, x):
        return self.out(jnp.tanh(self.hidden(x)))[0]


def calls_of(*classes):
    return [vars(cls).get("__call__") for cls in classes]


def at_once(*jobs):
    """Run functions in threads of their own; return what they do, or raise."""
    results = [None] * len(jobs)

    def run(i, job):
        try:
            results[i] = job()
        except BaseException as error:
            results[i] = error

    threads = [
        threading.Thread(target=run, args=(i, job), daemon=True)
        for i, job in enumerate(jobs)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
        assert not thread.is_alive(), "threads wait for each other"
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


def test_threads_trace_different_models_at_once_while_others_call_them():
    classes = nnx.Module, nnx.Linear, Model
    before = calls_of(*classes)
    models = [Model(seed) for seed in range(3)]
    # All of them inside `f` at the same time: nobody keeps the others out.
    inside = threading.Barrier(len(models) + 1, timeout=LIMIT)

    def explain(model):
        def f(x):
            inside.wait()
            return model(x)

        listed = list(jx.taps(f, X))
        hidden, head = jx.cut(f, X, at="hidden")
        return listed, hidden, head(hidden)

    def call_plainly():
        programs = []
        for _ in range(2):
            inside.wait()
            programs.append(str(jax.make_jaxpr(models[0])(X)))
        return programs

    jobs = [lambda model=model: explain(model) for model in models]
    programs, *explained = at_once(call_plainly, *jobs)
    for model, (listed, hidden, score) in zip(models, explained, strict=True):
        assert listed == ["hidden", "out"]
        assert_close(hidden, model.hidden(X))
        assert_close(score, model(X))
    assert not any("tap" in program for program in programs)
    assert all("dot_general" in program for program in programs)
    assert calls_of(*classes) == before


def test_frameworks_are_heard_side_by_side():
    eqx = pytest.importorskip("equinox")
    linear = eqx.nn.Linear(3, 1, key=jax.random.key(0), dtype=jnp.float32)
    wrapped = eqx.nn.Sequential([linear])
    model, inside = Model(0), threading.Barrier(2, timeout=LIMIT)

    def listed(f):
        def met(x):
            inside.wait()
            return f(x)

        return list(jx.taps(met, X))

    assert at_once(lambda: listed(model), lambda: listed(wrapped)) == [
        ["hidden", "out"],
        ["layers/0"],
    ]
    both = lambda x: model(x) * wrapped(x)[0]
    assert list(jx.taps(both, X)) == [
        "hidden",
        "out",
        "Model",
        "layers/0",
        "Sequential",
    ]


def test_a_function_may_wait_for_a_thread_that_cuts():
    model = Model(0)

    def f(x):
        (found,) = at_once(lambda: list(jx.taps(model, X)))
        assert found == ["hidden", "out"]
        return model(x)

    (found,) = at_once(lambda: list(jx.taps(f, X)))
    assert found == ["hidden", "out"]


def test_an_error_in_one_trace_leaves_the_others_alone():
    before = calls_of(nnx.Linear, Model)
    model, failed = Model(0), threading.Event()
    listening = threading.Event()

    def broken(x):
        assert listening.wait(LIMIT)
        model(x)
        raise ZeroDivisionError

    def fail():
        with pytest.raises(ZeroDivisionError):
            jx.taps(broken, X)
        failed.set()

    def f(x):
        listening.set()
        assert failed.wait(LIMIT)  # the other trace has come and gone
        assert calls_of(nnx.Linear, Model) != before
        return model(x)

    found, _ = at_once(lambda: list(jx.taps(f, X)), fail)
    assert found == ["hidden", "out"]
    assert calls_of(nnx.Linear, Model) == before


def test_a_class_that_is_made_while_another_thread_listens_is_heard():
    def f(x):
        class Late(nnx.Module):
            def __init__(self):
                self.model = Model(0)

            def __call__(self, x):
                return self.model(x)

        late = Late()
        assert at_once(lambda: list(jx.taps(late, X))) == [
            ["model/hidden", "model/out", "model"]
        ]
        return x.sum()

    jx.taps(f, X)


def test_a_thread_that_does_not_listen_sees_plain_modules():
    model = Model(0)

    def f(x):
        (program,) = at_once(lambda: str(jax.make_jaxpr(model)(X)))
        assert "dot_general" in program
        assert "tap" not in program
        return model(x)

    assert list(jx.taps(f, X)) == ["hidden", "out"]
