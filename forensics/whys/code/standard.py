"""Find out whether an image's Python has a module of the standard library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.model import Verdict
from forensics.whys.code.code_view import CodeQuestion, concluded, statement
from forensics.whys.code.images import image_python
from forensics.whys.code.paths import find_file
from forensics.whys.wording import plain

if TYPE_CHECKING:
    from forensics.whys.contexts import EvidenceResult

_ADDED = {"graphlib": 9, "zoneinfo": 9, "tomllib": 11}
_REMOVED = {
    **dict.fromkeys(("asynchat", "asyncore", "distutils", "imp", "smtpd"), 12),
    **dict.fromkeys(
        ("aifc", "audioop", "cgi", "cgitb", "chunk", "crypt", "imghdr", "lib2to3", "mailcap", "msilib"), 13
    ),
    **dict.fromkeys(("nis", "nntplib", "ossaudiodev", "pipes", "sndhdr", "spwd", "sunau", "telnetlib", "uu"), 13),
    "xdrlib": 13,
}
"""Modules and the Python 3 that brought or dropped them; PEP 594 and the notes on 3.9, 3.11, 3.12 and 3.13."""


def standard_module(look: CodeQuestion, module: str) -> EvidenceResult | None:
    """Say that the image's Python is too old or too new for a module; None for every other module."""
    top = module.split(".", 1)[0]
    asker = find_file(look.frame_file, look.files).path if look.frame_file else None
    image = image_python(look, asker or "")
    if image is None:
        return None
    where = f"line {image.line} of `{plain(image.file)}` gives the image Python 3.{image.minor}"
    values = {"file": image.file, "line": str(image.line), "commit": look.at.id}
    if image.minor < _ADDED.get(top, 0):
        text = f"`{plain(top)}` is in the standard library from Python 3.{_ADDED[top]} on, and {where}"
    elif top in _REMOVED and image.minor >= _REMOVED[top]:
        text = f"`{plain(top)}` left the standard library with Python 3.{_REMOVED[top]}, and {where}"
    else:
        return None
    return concluded(Verdict.SUPPORTED, statement(text, **values), look=look)
