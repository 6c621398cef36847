"""A text in, what is the same of all texts that differ in ASCII digits only out: logs repeat themselves so."""

from __future__ import annotations

_ZEROS = bytes.maketrans(b"123456789", b"000000000")


def zeroed(text: str) -> bytes:
    """Return a text with zeros for ASCII digits, encoded, to remember by what is the same of all such texts."""
    return text.encode("utf-8", "surrogatepass").translate(_ZEROS)


def unzeroed(text: bytes) -> str:
    """Return what was zeroed as a text."""
    return text.decode("utf-8", "surrogatepass")
