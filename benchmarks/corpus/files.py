"""Write a generated log and its `truth.json` into a folder."""

from __future__ import annotations

import gzip
import json
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO

from corpus.mix import Mix

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BATCH = 256


@dataclass(frozen=True, slots=True)
class _Form:
    file: str
    before: bytes = b""
    between: bytes = b"\n"
    after: bytes = b"\n"


KINDS = {
    "mixed": _Form("mixed.ndjson"),
    "clean": _Form("clean.ndjson"),
    "all-errors": _Form("all-errors.ndjson"),
    "array": _Form("array.json", b"[\n", b",\n", b"\n]\n"),
    "gz": _Form("mixed.ndjson.gz"),
    "zst": _Form("mixed.ndjson.zst"),
}


def write(kind: str, size: int, seed: int, folder: Path) -> dict[str, Any]:
    """Write a log of `size` bytes (before compression) and the truth about it; return the truth."""
    form = KINDS[kind]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / form.file
    mix = Mix(kind, size, seed)
    lines = total = 0
    with path.open("wb") as raw, _packed(raw, kind) as out:
        for block in _blocks(mix, form):
            out.write(block)
            lines += block.count(b"\n")
            total += len(block)
    head = {"file": form.file, "kind": kind, "seed": seed, "bytes": total, "file_bytes": path.stat().st_size}
    truth = head | {"lines": lines} | mix.tally.truth()
    (folder / "truth.json").write_text(json.dumps(truth, indent=2) + "\n", encoding="utf-8")
    return truth


def _blocks(mix: Mix, form: _Form) -> Iterator[bytes]:
    texts = mix.texts()
    yield form.before + next(texts)
    while batch := list(islice(texts, _BATCH)):
        yield form.between + form.between.join(batch)
    yield form.after


@contextmanager
def _packed(raw: BinaryIO, kind: str) -> Iterator[BinaryIO]:
    if kind == "gz":
        with gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=1, mtime=0) as packer:
            yield packer  # type: ignore[misc]  # a binary file in all but name
    elif kind == "zst":
        import zstandard  # noqa: PLC0415  (a dependency of forensics; the other kinds do without)

        with zstandard.ZstdCompressor(level=1).stream_writer(raw, closefd=False) as writer:
            yield writer
    else:
        yield raw
