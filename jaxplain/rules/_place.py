"""Where in a program an equation stands."""

import fnmatch
from typing import NamedTuple

from jax.extend.core import JaxprEqn

from .. import _jaxpr
from .._tap import SCOPE


class Place(NamedTuple):
    """Where an equation stands: in which named scopes, and on which line of code."""

    scopes: tuple[str, ...] = ()
    line: str = ""

    def inside(self, eqn: JaxprEqn) -> "Place":
        """The place of an equation of a program that is called here."""
        line = _jaxpr.line(eqn) or self.line
        return Place((*self.scopes, *_jaxpr.scopes(eqn)), line)

    @property
    def layer(self) -> str:
        """The path of the innermost layer, or else of the `jax.named_scope`s."""
        for name in reversed(self.scopes):
            if name.startswith(SCOPE):
                return name.removeprefix(SCOPE)
        return "/".join(self.scopes)

    def matches(self, pattern: str) -> bool:
        """Is `pattern` a glob for the layer, or for a consecutive part of its path?"""
        names = [name for name in self.scopes if not name.startswith(SCOPE)]
        paths = {self.layer, "/".join(names)}
        return any(
            fnmatch.fnmatchcase("/".join(parts[i:j]), pattern)
            for parts in (path.split("/") for path in paths)
            for i in range(len(parts))
            for j in range(i + 1, len(parts) + 1)
        )

    def __str__(self) -> str:
        return f"at {self.line}" + (f", in {self.layer!r}" if self.layer else "")


NOWHERE = Place()
