"""Run every experiment, and show them on one page: `outputs/report.html`.

python -m experiments [--out DIR] [--seed N] [--quick] [--data DIR] [--only NAME ...]
"""

import argparse
import time
from pathlib import Path

from experiments import common, page
from experiments.chapters import CHAPTERS
from experiments.compression.__main__ import main as compression
from experiments.pictures.__main__ import main as pictures
from experiments.tables.__main__ import main as tables
from experiments.traffic.__main__ import main as traffic
from experiments.words.__main__ import main as words

EXPERIMENTS = {
    "pictures": pictures,
    "words": words,
    "tables": tables,
    "traffic": traffic,
    "compression": compression,
}


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m experiments", description=__doc__)
    common.options(parser, Path("outputs"))
    parser.add_argument("--only", nargs="+", choices=EXPERIMENTS, default=EXPERIMENTS)
    return parser.parse_args()


def main() -> None:
    options, begin = parsed(), time.perf_counter()
    shared = ["--seed", str(options.seed)]
    shared += ["--quick"] if options.quick else []
    shared += ["--data", str(options.data)] if options.data else []
    for name in options.only:
        print(f"\n{name}\n{'=' * len(name)}", flush=True)
        EXPERIMENTS[name](["--out", str(options.out / name), *shared])
    chapters = [CHAPTERS[n](page.metrics(options.out / n)) for n in options.only]
    path = page.write(options.out, chapters, time.perf_counter() - begin)
    print(f"\nwrote {path}", flush=True)


if __name__ == "__main__":
    main()
