"""Find out whether a Python file that does not parse is legal for its image's Python. Nothing is run."""

from __future__ import annotations

import sys
import token
import tokenize
from typing import TYPE_CHECKING

from forensics.model import Evidence, Verdict
from forensics.whys.code.code_view import CodeQuestion, code_line, concluded, name_commit, statement
from forensics.whys.code.definitions import UNPARSABLE, parse
from forensics.whys.code.images import ImagePython, image_python
from forensics.whys.code.paths import find_file
from forensics.whys.code.related import related_commits
from forensics.whys.wording import plain

if TYPE_CHECKING:
    from forensics.whys.contexts import EvidenceResult

_HERE = sys.version_info.minor
_NESTED_QUOTES = 12
"""The minor version from which a string inside an f-string may use the quotes of the f-string (PEP 701)."""


def parsed_there(look: CodeQuestion, named: str, line: int | None) -> EvidenceResult:
    """Hold a file at the deployed commit against the grammar of the image's Python."""
    found = find_file(named, look.files)
    if found.path is None:
        return _not_found(look, named, found.several)
    source = look.base.text(look.at, found.path)
    if source is None:
        text = f"`{plain(found.path)}` at commit {look.at.short} is no text that can be read"
        return concluded(Verdict.NO_EVIDENCE, statement(text), look=look)
    image = image_python(look, found.path)
    fault = _fault(source, None)
    evidence = [_quote(look, found.path, source, line)] if line else []
    related = related_commits(look, (found.path,))
    shown = f"`{plain(found.path)}` at commit {look.at.short}"
    if fault is not None:
        verdict, text = _broken_here(shown, fault, image)
        author = look.base.wrote(look.at, found.path, fault[1]) if fault[1] else None
        text += f"; {name_commit(author)} wrote that line" if author else ""
        values = {"file": found.path, "line": str(fault[1] or ""), "commit": (author or look.at).id}
        return concluded(verdict, statement(text, **values), *evidence, *related, look=look)
    older = _older_fault(source, image)
    if image is None or older is None:
        return concluded(Verdict.NO_EVIDENCE, statement(_legal(shown, image)), *evidence, *related, look=look)
    text = (
        f"{shown} parses as Python 3.{_HERE} and not as Python 3.{image.minor}, which line {image.line} of "
        f"`{plain(image.file)}` gives the image: {plain(older[0])} (line {older[1]})"
    )
    values = {"file": found.path, "line": str(older[1]), "commit": look.at.id}
    return concluded(Verdict.SUPPORTED, statement(text, **values), *evidence, *related, look=look)


def _fault(source: str, minor: int | None) -> tuple[str, int] | None:
    """Return what the parser says and the line, None when it is content."""
    try:
        parse(source, minor)
    except SyntaxError as error:
        return error.msg, error.lineno or 0
    except UNPARSABLE as error:
        return str(error) or type(error).__name__, 0
    return None


def _older_fault(source: str, image: ImagePython | None) -> tuple[str, int] | None:
    """Return what is newer than the image's Python in a file that this Python parses."""
    if image is None or image.minor >= _HERE:
        return None
    fault = _fault(source, image.minor)
    if fault is None and image.minor < _NESTED_QUOTES <= _HERE:
        fault = _nested_quotes(source)
    return fault


def _nested_quotes(source: str) -> tuple[str, int] | None:
    """Find a string inside an f-string that uses the quotes of the f-string."""
    start, end = getattr(token, "FSTRING_START", -1), getattr(token, "FSTRING_END", -1)
    open_quotes: list[str] = []
    try:
        for found in tokenize.generate_tokens(iter(source.splitlines(keepends=True)).__next__):
            if found.type in {start, tokenize.STRING} and open_quotes and open_quotes[-1][0] in found.string:
                return (
                    f"an f-string holds a string in its own quotes, which is legal from Python 3.{_NESTED_QUOTES} on",
                    found.start[0],
                )
            if found.type == start:
                open_quotes.append(found.string.lstrip("fFrRtT"))
            elif found.type == end and open_quotes:
                open_quotes.pop()
    except (tokenize.TokenError, SyntaxError):
        return None
    return None


def _broken_here(shown: str, fault: tuple[str, int], image: ImagePython | None) -> tuple[Verdict, str]:
    """Say of a file that this Python cannot parse whether the image's could."""
    message, line = fault
    what = f"{shown} does not parse as Python 3.{_HERE}: {plain(message)}" + (f" (line {line})" if line else "")
    if image is not None and image.minor > _HERE:
        return (
            Verdict.NO_EVIDENCE,
            f"{what}; the image has Python 3.{image.minor}, whose grammar this run does not know",
        )
    if message.startswith("f-string") and _HERE < _NESTED_QUOTES:
        return Verdict.SUPPORTED, f"{what}; Python 3.{_NESTED_QUOTES} and later allow more inside f-strings"
    return Verdict.SUPPORTED, f"{what}: the commit itself is broken"


def _legal(shown: str, image: ImagePython | None) -> str:
    if image is None:
        return f"{shown} parses as Python 3.{_HERE}; which Python the image has is not shown by a Dockerfile"
    return f"{shown} parses as Python 3.{min(image.minor, _HERE)}, which `{plain(image.file)}` gives the image"


def _quote(look: CodeQuestion, path: str, source: str, line: int) -> Evidence:
    lines = source.split("\n")
    text = code_line(lines[line - 1]) if 0 < line <= len(lines) else ""
    return statement(f"line {line}: `{text}`", file=path, line=str(line), commit=look.at.id)


def _not_found(look: CodeQuestion, named: str, several: tuple[str, ...]) -> EvidenceResult:
    text = f"commit {look.at.short} holds no `{plain(named)}`"
    if several:
        text = f"several files of commit {look.at.short} fit `{plain(named)}`: " + ", ".join(several[:4])
    return concluded(Verdict.NO_EVIDENCE, statement(text, commit=look.at.id), look=look)
