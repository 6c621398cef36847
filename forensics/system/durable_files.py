"""Write files completely or not at all, even when the machine stops; and lock a folder."""

from __future__ import annotations

import hashlib
import os
import sys
from typing import TYPE_CHECKING

from forensics.errors import CaseError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import BinaryIO

if sys.platform != "win32":
    import fcntl

LOCK = ".lock"


def write_durably(file: Path, pieces: Iterable[bytes]) -> tuple[int, str]:
    """Write a file completely or not at all; return its size and SHA-256 once it is on the disk."""
    # A hidden name, so that a concurrent reader of the folder skips it.
    unfinished = file.with_name(f".{file.name}.unfinished")
    digest, size = hashlib.sha256(), 0
    try:
        with unfinished.open("wb") as out:
            for piece in pieces:
                out.write(piece)
                digest.update(piece)
                size += len(piece)
            out.flush()
            os.fsync(out.fileno())
        unfinished.replace(file)
    except (OSError, CaseError):
        unfinished.unlink(missing_ok=True)  # so that a full disk gets its space back
        raise
    sync_folder(file.parent)
    return size, digest.hexdigest()


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk."""
    if sys.platform == "win32":
        return  # a folder cannot be opened there
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def lock(folder: Path) -> BinaryIO:
    """Take the lock of a case until the returned file is closed; raise CaseError when another process has it."""
    file = (folder / LOCK).open("ab")
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.close()
            raise CaseError(
                f"{str(folder)!r} is being written by another pull; wait for its end, or name another folder"
            ) from error
        except OSError:
            file.close()
            raise
    return file
