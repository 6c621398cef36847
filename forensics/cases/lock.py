"""The lock that keeps a case to one writer."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from forensics.errors import CaseError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

if sys.platform != "win32":
    import fcntl

LOCK = ".lock"


def lock(folder: Path) -> BinaryIO:
    """Lock a case until the returned file is closed; CaseError when another process holds the lock."""
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
