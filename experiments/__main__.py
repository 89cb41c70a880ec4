"""Run every experiment: `python -m experiments [--out DIR] [--seed N]`."""

import argparse
from pathlib import Path

from experiments.pictures.__main__ import main as photographs
from experiments.traffic.__main__ import main as traffic


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m experiments", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("outputs"))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for name, run in {"photographs": photographs, "traffic": traffic}.items():
        print(f"\n{name}\n{'=' * len(name)}", flush=True)
        run(["--out", str(options.out / name), "--seed", str(options.seed)])


if __name__ == "__main__":
    main()
