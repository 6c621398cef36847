"""The parts of an input: the files inside a zip or tar archive, or the input itself."""

from __future__ import annotations

from msgspec import Struct

from forensics.sources.containers.utf8 import TextContent

ZIP = (b"PK\x03\x04", b"PK\x05\x06")
TAR_BLOCK = 512
_TAR_MAGIC = slice(257, 262)


class ArchiveError(Exception):
    """An archive cannot be read, or not to its end; the message continues a sentence that begins with its name."""


class Part(Struct, frozen=True):
    """One file of an archive, or an input that is no archive."""

    name: str
    """The member's name; empty for a file that is no archive."""
    content: TextContent | None
    """None for a member that is skipped."""
    problem: str = ""
    """Why the member is skipped."""


def is_tar(first: bytes) -> bool:
    """Tell whether a file begins as a tar archive does."""
    return first[_TAR_MAGIC] == b"ustar"
