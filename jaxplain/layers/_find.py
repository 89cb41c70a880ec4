"""Where the names of a program are, and which one the user means."""

import difflib
import re
from typing import Any, NamedTuple

import jax
from jax.extend.core import ClosedJaxpr, JaxprEqn
from jax.extend.core import primitives as P

from .. import _checks, _jaxpr
from .._tap import tap_p


class LayerError(KeyError):
    """No such layer, or one that cannot be cut."""

    def __str__(self) -> str:  # a `KeyError` would show the message quoted
        return str(self.args[0])


class Site(NamedTuple):
    """One call of a named value: what is there, and the loops around it.

    `root` is the outermost module, from where the path `name` goes; it is empty where
    the user gave the name.
    """

    name: str
    root: str
    shapes: tuple[jax.ShapeDtypeStruct, ...]
    tree: Any
    loops: tuple[str, ...]

    @property
    def key(self) -> tuple[str, str]:
        return self.root, self.name

    @property
    def value(self) -> Any:
        return jax.tree.unflatten(self.tree, self.shapes)


def sites(closed: ClosedJaxpr) -> list[Site]:
    """Every named value of a program, in the order of execution."""
    return [site for eqn in closed.jaxpr.eqns for site in sites_of(eqn)]


def sites_of(eqn: JaxprEqn) -> list[Site]:
    if is_name(eqn):
        shapes = tuple(_jaxpr.struct(v.aval) for v in eqn.invars)
        tree = eqn.params.get("tree", jax.tree.structure(0))
        root = eqn.params.get("root", "")
        return [Site(eqn.params["name"], root, shapes, tree, ())]
    found = [site for body in _jaxpr.bodies(eqn) for site in sites(body)]
    if eqn.primitive is P.scan_p:
        return [_stacked(site, eqn.params["length"]) for site in found]
    loop = _jaxpr.LOOPS.get(eqn.primitive)
    if loop is None and not found:  # a body that cannot be opened, as in `shard_map`
        loop = eqn.primitive.name
        found = [s for body in _jaxpr.hidden_bodies(eqn) for s in sites(body)]
    if loop is not None:
        return [site._replace(loops=(loop, *site.loops)) for site in found]
    return found


def is_name(eqn: JaxprEqn) -> bool:
    return eqn.primitive is tap_p or eqn.primitive is P.name_p


def _stacked(site: Site, length: int) -> Site:
    """A value inside a scan has one entry per step."""
    shapes = tuple(_jaxpr.struct(s, length) for s in site.shapes)
    return site._replace(shapes=shapes, loops=("scan", *site.loops))


def by_name(found: list[Site]) -> dict[str, list[Site]]:
    """The calls of each layer, by the name that users see.

    Models that are called side by side may hold layers of the same name: these get the
    class of the model before it. What a model returns is a layer only then, or if the
    model is called more than once; else it is `f`, or nearly.
    """
    calls: dict[tuple[str, str], list[Site]] = {}
    for site in found:
        calls.setdefault(site.key, []).append(site)
    whole = lambda name: not name or name.startswith(".")
    alone = sum(whole(site.name) for site in found) == 1
    names = [name for _, name in calls]
    table = {}
    for (root, name), sites in calls.items():
        if whole(name):
            if not alone:
                table[root + name] = sites
        else:
            shared = root and names.count(name) > 1
            table[f"{root}/{name}" if shared else name] = sites
    return table


def resolve(found: list[Site], at: str) -> tuple[list[Site], list[int]]:
    """The calls of the layer that `at` means, and which of them are meant.

    A name that only one layer ends with will do; `"name@1"` is its second call.
    """
    if not isinstance(at, str):
        raise TypeError(f"`at` must be the name of a layer, but is {at!r}.")
    table = by_name(found)
    name, _, call = at.partition("@")
    if name not in table:
        tails = [known for known in table if known.endswith("/" + name)]
        if len(tails) != 1:
            raise LayerError(_unknown(at, name, table, tails))
        name = tails[0]
    calls = table[name]
    if not call:
        picked = list(range(len(calls)))
    elif re.fullmatch(r"-?\d+", call) and -len(calls) <= int(call) < len(calls):
        picked = [int(call) % len(calls)]
    else:
        times = "once" if len(calls) == 1 else f"{len(calls)} times"
        allowed = ", ".join(repr(f"{name}@{i}") for i in range(len(calls)))
        raise LayerError(
            f"no layer {at!r}: {name!r} is called {times}. Its calls are {allowed}."
        )
    for i in picked:
        _must_be_countable(name, calls[i])
    return calls, picked


def _must_be_countable(name: str, site: Site) -> None:
    for loop in site.loops:
        if loop != "scan":
            raise LayerError(
                f"layer {name!r} runs inside `{loop}`, where it has no single "
                "value. Move it out; or use `jax.lax.scan` for a loop, "
                "`jax.numpy.where` for a condition, and cut inside a `jax.shard_map`."
            )


def _unknown(at: str, name: str, table: dict[str, list[Site]], tails: list[str]) -> str:
    if not table:
        return (
            f"no layer {at!r}: `f` names no value. What modules of Flax, Equinox and "
            "Keras return is named by itself, but for the outermost one; name any "
            'other value with `jaxplain.tap(value, "name")`.'
        )
    near = tails or difflib.get_close_matches(name, table, 3, 0.4)
    near = near or [known for known in table if name.lower() in known.lower()][:3]
    hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    return f"no layer {at!r} in `f`.{hint}\n{listing(table)}"


def listing(table: dict[str, list[Site]], most: int = 40) -> str:
    """The layers with their shapes, one a line."""
    width = max(map(len, table))
    lines = ["Its layers, in order of execution:"]
    for name, calls in list(table.items())[:most]:
        shapes = " ".join(_checks.show(shape) for shape in calls[0].shapes)
        times = f"  called {len(calls)} times" if len(calls) > 1 else ""
        loops = f"  inside a {calls[0].loops[0]}" if calls[0].loops else ""
        lines.append(f"  {name:<{width}}  {shapes}{loops}{times}")
    if len(table) > most:
        lines.append(f"  ... and {len(table) - most} more")
    return "\n".join(lines)
