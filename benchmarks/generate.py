"""Generate a Cloud Run log and its `truth.json`; the same seed gives the same bytes.

python benchmarks/generate.py --size 1GB --kind mixed --out build/bench/mixed
"""

from __future__ import annotations

import argparse
import re
import time
from pathlib import Path

from corpus import KINDS, write

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}


def main() -> None:
    """Write one log, and print its size and the time it took."""
    parser = argparse.ArgumentParser(description="Write a Cloud Run log, and what a reader must find in it.")
    parser.add_argument("--size", type=_size, default="100MB", help="before it is packed, e.g. 2MB, 1GB [100MB]")
    parser.add_argument("--kind", choices=KINDS, default="mixed", help="[mixed]")
    parser.add_argument("--seed", type=int, default=1, help="[1]")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="one folder holds one log")
    arguments = parser.parse_args()
    start = time.perf_counter()
    truth = write(arguments.kind, arguments.size, arguments.seed, arguments.out)
    seconds = time.perf_counter() - start
    print(
        f"{arguments.out / truth['file']}: {truth['bytes']:,} bytes, {truth['lines']:,} lines, "
        f"{truth['entries']:,} entries, {seconds:.1f} s"
    )


def _size(text: str) -> int:
    size = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMG]?)B?", text.strip().upper())
    if size is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size such as 2MB or 1GB")
    return int(float(size[1]) * _UNITS[size[2]])


if __name__ == "__main__":
    main()
