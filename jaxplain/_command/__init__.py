"""The command line: one module per subcommand, each with `add` and `run`."""

import argparse
import sys
from collections.abc import Sequence

from . import _evaluate
from ._load import Mistake


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand: 0 if it worked, 2 if it was called wrongly."""
    from jaxplain import __version__

    parser = argparse.ArgumentParser(
        "jaxplain", description="Explanations of JAX models, and whether to trust them."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(
        metavar="COMMAND", dest="command", required=True, title="commands"
    )
    for command in (_evaluate,):
        command.add(commands)
    try:
        options = parser.parse_args(argv)
    except SystemExit as stop:  # argparse has said what was wrong
        return int(stop.code or 0)
    options.argv = sys.argv[1:] if argv is None else list(argv)
    try:
        options.run(options)
    except Mistake as mistake:
        print(f"jaxplain {options.command}: {mistake}", file=sys.stderr)
        return 2
    return 0
