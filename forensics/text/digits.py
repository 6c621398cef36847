"""Normalise digits, so that texts that differ only in digits share one cache key."""

from __future__ import annotations

_ZEROS = bytes.maketrans(b"123456789", b"000000000")


def zeroed(text: str) -> bytes:
    """Replace every ASCII digit by a zero, and encode the text: a cache key for all texts of that shape."""
    return text.encode("utf-8", "surrogatepass").translate(_ZEROS)


def unzeroed(text: bytes) -> str:
    """Decode a text that `zeroed` encoded."""
    return text.decode("utf-8", "surrogatepass")
