"""Write files that are complete or absent at any moment, also when the program or the machine stops.

`write_atomically` is for what can be made again: documents, ledgers, caches. `write_durably` also waits for the disk:
for evidence that cannot be fetched twice.
"""

from __future__ import annotations

import hashlib
import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO


UNFINISHED = ".unfinished"
"""Suffix of a file that is being written."""


def write_atomically(file: Path, pieces: Iterable[bytes]) -> None:
    """Write a file, complete or not at all, in place of an older one; missing folders above it are made.

    Raises:
        OSError: the file system refuses; an older file is still there.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    # Several runs may write the same file at once: each fills a file of its own, and the last to end wins.
    with _replacing(file, file.with_name(f".{file.name}.{os.getpid()}{UNFINISHED}")) as out:
        out.writelines(pieces)


def write_durably(file: Path, pieces: Iterable[bytes]) -> tuple[int, str]:
    """Write a file, complete or not at all, and return its size and SHA-256 once it is on the disk.

    The folder must have one writer at a time: what a kill left unfinished is written over.

    Raises:
        OSError: the file system refuses; an older file is still there.
    """
    digest, size = hashlib.sha256(), 0
    with _replacing(file, unfinished(file)) as out:
        for piece in pieces:
            out.write(piece)
            digest.update(piece)
            size += len(piece)
        out.flush()
        os.fsync(out.fileno())
    sync_folder(file.parent)
    return size, digest.hexdigest()


def unfinished(file: Path) -> Path:
    """Name the file that `write_durably` fills first."""
    # A hidden name: whoever reads the folder as logs meanwhile passes it over.
    return file.with_name(f".{file.name}{UNFINISHED}")


@contextmanager
def _replacing(file: Path, new: Path) -> Iterator[BinaryIO]:
    """Open a new file, and let it take the place of another one when the block ends without an error."""
    try:
        with new.open("wb") as out:
            yield out
        new.replace(file)
    finally:
        with suppress(OSError):
            new.unlink(missing_ok=True)  # after an error; on a full disk its bytes are wanted


def sync_folder(folder: Path) -> None:
    """Wait until the names of a folder's files are on the disk."""
    if sys.platform == "win32":
        return  # a folder cannot be opened there
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
