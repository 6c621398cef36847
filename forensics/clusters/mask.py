"""Mask the variable parts of messages: templates (`timeout after <*> ms`), and fingerprints over them."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from forensics.log.root_exception import root_exception
from forensics.text.digits import unzeroed, zeroed

if TYPE_CHECKING:
    from forensics.model import ExceptionInfo, LogEntry

WILDCARD = "<*>"
_STACK_BEGINS = ("at ", "goroutine ", "#", "from ", "created by ", "...", "Caused by", "stack backtrace")
"""How a stack begins whose upper part is missing."""
_MASK_LIMIT = 2000
"""Characters of a message that are used for its template; what follows is data."""

_VALUE = re.compile(
    r"""
    \w+://[^\s'"<>]+                                    # an address
  | [\w.+%-]+@[\w.-]+                                   # a mail address
  | (?:/[\w.@~+-]+){2,}/?                               # a path
  | \b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b   # a UUID
  | [^\s=:,()\[\]{}"';|<>]*\d[^\s=:,()\[\]{}"';|<>]*    # any part with a digit: ids, counts, times, ws_10_ab
    """,
    re.VERBOSE,
)
_LONG = 64
"""Characters of the longest part in which a value is looked for at each of them."""
# Runs of one kind of character, each once, and how far in it a value may begin.
_MAY_BEGIN = (
    re.compile(r"(?P<begins>\w++)(?=://[^\s'\"<>])|\w++"),
    re.compile(r"(?P<begins>[\w.+%-]++)(?=@[\w.-])|[\w.+%-]++"),
    re.compile(r"""(?P<begins>[^\s=:,()\[\]{}"';|<>]*\d)|[^\s=:,()\[\]{}"';|<>]++"""),
    re.compile(r"(?P<begins>/|\b(?=[0-9a-fA-F]{8}-))"),
)
_MAY_VARY = re.compile(r"[\d/@-]")
"""Every value contains one of these characters: a text without them has no value."""
_RUN = re.compile(rf"{re.escape(WILDCARD)}(?:[\s.,:;/=-]*{re.escape(WILDCARD)})+")
_QUOTED = re.compile(r"""(?P<q>["'])(?:(?!(?P=q)).){1,200}(?P=q)""")


def mask(text: str) -> str:
    """Replace what varies in a text by `<*>`; masking twice is masking once."""
    # A part with a digit is masked, whatever the digit: texts that differ only in digits share one cached mask.
    return _masked(zeroed(text[:_MASK_LIMIT]))


@lru_cache(maxsize=1024)
def _masked(zeroed_text: bytes) -> str:
    text = unzeroed(zeroed_text)
    if _MAY_VARY.search(text) is not None:
        # No value contains a blank, and no word of letters is a value: the pattern is tried only on the other parts.
        parts = [part if part.isalpha() else _masked_part(part) for part in text.split(" ")]
        text = " ".join(parts)
    return (_RUN.sub(WILDCARD, text) if text.count(WILDCARD) > 1 else text).strip()


def _masked_part(part: str) -> str:
    return _VALUE.sub(WILDCARD, part) if len(part) <= _LONG else _masked_long(part)


def _masked_long(part: str) -> str:
    """Do what `_VALUE.sub` does, but ask only where a value may begin: a long word would take its square in time."""
    begins = bytearray(len(part) + 1)
    for runs in _MAY_BEGIN:
        for found in runs.finditer(part):
            if found["begins"] is not None:
                start, end = found.start(), max(found.end("begins"), found.start() + 1)
                begins[start:end] = b"\1" * (end - start)
    kept: list[str] = []
    done = at = 0
    while (at := begins.find(1, at)) >= 0:
        value = _VALUE.match(part, at)
        if value is None:
            at += 1
            continue
        kept.append(part[done:at])
        done = at = value.end()
    return WILDCARD.join([*kept, part[done:]])


def template(entry: LogEntry) -> str:
    """Return the template of an entry: status, method and masked path of a request, else its masked first line."""
    return _template(entry, root_exception(entry))


def _template(entry: LogEntry, root: ExceptionInfo | None) -> str:
    if not entry.has_payload:
        return "(no payload)"
    if entry.http is not None and entry.message.startswith(f"{entry.http.status} "):
        return f"{entry.http.status} {entry.http.method} {mask(entry.http.path) or '/'}"
    if root is not None and root.type:
        return f"{root.type}: {mask(_first_line(root.value))}".removesuffix(": ")
    if root is not None and root.frames and not _says_before_stack(entry.message):
        return f"A traceback that stops before its exception, in {root.frames[-1].function or root.frames[-1].file}"
    return mask(_first_line(entry.message))


def _says_before_stack(message: str) -> bool:
    """Tell whether words stand above a stack whose exception is not named: they are what happened."""
    if "Traceback (most" in message or 'File "' in message:  # here the exception is printed below, and is missing
        return False
    first = _first_line(message).rstrip()
    return not first.startswith(_STACK_BEGINS) and not first.endswith(")") and ":in " not in first


def fingerprint(entry: LogEntry) -> str:
    """Hash what an entry says: 12 hex digits over template, exception type and in-app frames."""
    root = root_exception(entry)
    masked = _template(entry, root)
    if root is None:
        return _fingerprint(masked, "", ())
    return _fingerprint(masked, root.type, tuple([f"{f.file}:{f.function}" for f in root.frames if f.in_app]))


@lru_cache(maxsize=1024)
def _fingerprint(masked: str, exception_type: str, frames: tuple[str, ...]) -> str:
    # Values in quotes differ from case to case ("Field 'user_id'", "Field 'age'") but name what is wrong, so they stay
    # in the template; where an exception gives frames, place and type identify it and the quoted value need not.
    if frames:
        masked = _QUOTED.sub(WILDCARD, masked)
    text = "\n".join([masked, exception_type, *frames])
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]


def _first_line(text: str) -> str:
    return text.lstrip().split("\n", 1)[0]
