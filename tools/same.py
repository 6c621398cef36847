"""One hash over every document and screen of every input at hand: two trees with the same hash print the same.

    python tools/same.py                     the hash of this checkout
    python tools/same.py --save before.json  keep one hash for each input as well
    python tools/same.py --against before.json  name the inputs that differ now, exit 1 when one does
    python tools/same.py --keep DIR          write what was hashed into a folder, to be compared with diff -r

Inputs are the samples, the exports of the tests and, where they lie beside the checkout, the real logs.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import json
import multiprocessing
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data"
LOGS = (
    (ROOT / "tests" / "exports", ("*.jsonl",)),
    (DATA / "netra", ("*.ndjson", "extras/*")),
    (DATA / "wild", ("*.jsonl", "*.orig.*")),
    (DATA / "field", ("*.jsonl", "*.orig.*", "min/*")),
)
"""Folder → its files, each an input of its own."""
sys.path.insert(0, str(ROOT))  # the checkout that holds this file, whatever is installed
REVISION = "netra-backend-staging-00180"
SAMPLE = "samples/netra-backend-staging"
RUNS = (
    (),
    *(
        (verb, "--help")
        for verb in ("analyze", "compare", "cycle", "gate", "pull", "watch", "render", "verify", "rules")
    ),
    ("rules", "list"),
    ("rules", "show", "websocket-1011-serialization"),
    ("rules", "check"),
    ("analyze", "--revision", REVISION),
    ("analyze", "--revision", "no-such-revision"),
    ("analyze", "--revision", "all", "--logs", "samples/module-missing-crash-loop/logs"),
    ("analyze", "--revision", "all", "--logs", "samples/healthy/logs"),
    ("analyze", "--revision", REVISION, "--baseline", "previous", "--tests", f"{SAMPLE}/tests"),
    ("compare", "netra-backend-staging-00179", REVISION),
    ("gate", "--revision", REVISION, "--baseline", "netra-backend-staging-00179"),
)
"""Command lines run in the checkout, whose settings name the samples."""
LIMIT = 120
"""Seconds for one command; it is stopped behind them, and that is hashed."""
WRITES = frozenset({"analyze", "compare", "gate"})
"""Verbs that write documents where --out says."""


def main() -> int:
    """Hash everything; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--save", type=Path, help="file for a hash of each input")
    parser.add_argument("--against", type=Path, help="file that --save wrote, perhaps in another checkout")
    parser.add_argument("--keep", type=Path, help="folder for all that was hashed")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: 2)")
    options = parser.parse_args()
    inputs = dict(_inputs())
    with multiprocessing.get_context("fork").Pool(options.jobs, maxtasksperchild=40) as pool:
        tasks = [(name, arguments, options.keep) for name, arguments in inputs.items()]
        hashes = {name: (digest, documents) for name, digest, documents in pool.imap_unordered(_run, tasks, 4)}
    total = hashlib.sha256("".join(hashes[name][0] for name in sorted(hashes)).encode()).hexdigest()
    print(f"{len(hashes)} inputs, {sum(n for _, n in hashes.values()):,} documents and screens: {total[:32]}")
    if options.save:
        options.save.write_text(json.dumps({name: hashes[name][0] for name in sorted(hashes)}, indent=1) + "\n")
    return _compare(json.loads(options.against.read_text()), hashes) if options.against else 0


def _compare(before: dict[str, str], hashes: dict[str, tuple[str, int]]) -> int:
    """Name the inputs that differ."""
    now = {name: digest for name, (digest, _) in hashes.items()}
    differ = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    print("\n".join([f"{len(differ)} inputs differ", *differ]) if differ else "equal")
    return 1 if differ else 0


def _inputs() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Name each input and the command line that reads it."""
    for arguments in RUNS:
        yield " ".join(("forensics", *arguments)), arguments
    for folder, patterns in LOGS:
        for file in sorted({file for pattern in patterns for file in folder.glob(pattern) if file.is_file()}):
            formats = ("--format", "md,json,csv")
            yield f"{folder.name}/{file.name}", ("analyze", "--revision", "all", "--logs", str(file), *formats)


def _run(task: tuple[str, tuple[str, ...], Path | None]) -> tuple[str, str, int]:
    """Run one command line, on a terminal's width and in a pipe; hash what it printed and wrote."""
    name, arguments, keep = task
    hashed, documents = hashlib.sha256(), 0
    for screen in ("pipe", "terminal"):
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "out"
            written = ("--out", str(out)) if arguments and arguments[0] in WRITES and "--help" not in arguments else ()
            printed = _printed((*arguments, *written), screen)
            files = {f"{screen}.txt": printed.replace(folder.encode(), b"OUT")}
            if screen == "pipe":
                files |= {str(f.relative_to(out)): f.read_bytes() for f in sorted(out.rglob("*")) if f.is_file()}
            for file, data in files.items():
                text = _neutral(data)
                hashed.update(file.encode() + b"\0" + text + b"\0")
                documents += 1
                if keep:
                    kept = keep / name.replace("/", "_") / file
                    kept.parent.mkdir(parents=True, exist_ok=True)
                    kept.write_bytes(text)
    return name, hashed.hexdigest(), documents


def _printed(arguments: tuple[str, ...], screen: str) -> bytes:
    """Run the program in this process; return what it printed, errors and exit code included."""
    from forensics.cli import main as program  # noqa: PLC0415 - after the fork

    stream = io.BytesIO()
    text = io.TextIOWrapper(stream, "utf-8", write_through=True)
    os.chdir(ROOT)
    os.environ["COLUMNS"] = "80"
    os.environ.pop("FORCE_COLOR", None)
    if screen == "terminal":
        os.environ["FORCE_COLOR"] = "1"
    sys.argv = ["forensics", *arguments]
    code: object = 0
    signal.signal(signal.SIGALRM, _stop)
    signal.alarm(LIMIT)
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        try:
            program()
        except SystemExit as leave:
            code = leave.code
        finally:
            signal.alarm(0)
    return stream.getvalue() + f"exit {code}\n".encode()


def _stop(*_: object) -> None:
    raise SystemExit("no end")


def _neutral(data: bytes) -> bytes:
    """Take out where this checkout lies, and its version."""
    from forensics import __version__  # noqa: PLC0415 - after the fork

    version = __version__.encode()
    for before in (b'"tool_version":"%s"', b'"tool_version": "%s"', b"forensics %s"):
        data = data.replace(before % version, before % b"VERSION")
    return data.replace(str(ROOT).encode(), b"ROOT").replace(str(DATA.parent).encode(), b"SHARED")


if __name__ == "__main__":
    sys.exit(main())
