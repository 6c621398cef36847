"""Analyse a log text independently of its record: message, level, exceptions, WebSocket close.

Logs repeat themselves, mostly with other numbers, and the patterns used here treat all ASCII digits alike, except for
close codes (1000 to 4999) and `Http404`. So the outline of a text, computed once with zeros for digits, is valid for
all texts that differ only in digits: the position of the message, its level, and whether it may contain an exception or
a close.
"""

from __future__ import annotations

from functools import lru_cache

from msgspec import Struct

from forensics.entries.decode.decoration import undecorate, without_colours
from forensics.entries.decode.websocket_close import close_in_text, may_tell_close
from forensics.entries.tracebacks import may_name_exception, parse_exceptions, unescaped
from forensics.model import Close, ExceptionInfo, Level
from forensics.text.digits import unzeroed, zeroed

_REMEMBERED = 1_024
"""Texts, and outlines of texts, that are cached."""
MEMORABLE = 2_048
"""Characters of the longest cached text: longer texts rarely repeat and are not worth the memory."""


class TextFacts(Struct, frozen=True):
    """The facts in a text."""

    message: str
    level: Level | None = None
    exceptions: tuple[ExceptionInfo, ...] = ()
    close: Close | None = None


class _Outline(Struct, frozen=True):
    """The facts shared by all texts that differ only in digits."""

    begin: int
    """The bounds of the message."""
    end: int
    level: Level | None
    may_name: bool
    """True when the text may contain an exception."""
    may_close: bool
    """True when the text may contain a WebSocket close."""


def text_facts_of(text: str) -> TextFacts:
    """Return the facts in a text of a log: `read_text` with a cache."""
    if len(text) > MEMORABLE:
        return read_text(text)
    outline = _outline_of(zeroed(text))
    if outline is None or outline.may_name or outline.may_close:
        return _remembered(text, outline)
    return TextFacts(text[outline.begin : outline.end], outline.level)


def read_text(text: str) -> TextFacts:
    """Return the facts in a text of a log."""
    words = undecorate(unescaped(text))
    return TextFacts(words.message, words.level, parse_exceptions(words.message), close_in_text(words.message))


@lru_cache(maxsize=_REMEMBERED)
def _remembered(text: str, outline: _Outline | None) -> TextFacts:
    if outline is None:
        return read_text(text)
    message = text[outline.begin : outline.end]
    exceptions = parse_exceptions(message) if outline.may_name else ()
    return TextFacts(message, outline.level, exceptions, close_in_text(message) if outline.may_close else None)


@lru_cache(maxsize=_REMEMBERED)
def _outline_of(outline: bytes) -> _Outline | None:
    """Return the outline of a text with zeros for digits; None when the message is no contiguous part of the text."""
    text = unzeroed(outline)
    if unescaped(text) != text or without_colours(text) != text:
        return None
    words = undecorate(text)
    message = words.message
    end = len(text.rstrip())
    begin = end - len(message)
    if text[begin:end] != message:  # logfmt's
        return None
    return _Outline(begin, end, words.level, may_name_exception(message), may_tell_close(message))
