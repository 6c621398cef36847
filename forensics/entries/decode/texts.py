"""A text in, what it tells out, whatever record it stands in: message, level, exceptions, close.

Logs repeat themselves, mostly with other numbers, and no pattern that is asked here tells one ASCII digit from another,
but for the codes of closes (1000 to 4999) and `Http404`. So what is found out about a text with zeros for digits holds
of all that have the same: where the message stands, its level, and whether it may tell of an exception or a close.
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
"""Texts, and outlines of texts, of which it is remembered what they tell."""
MEMORABLE = 2_048
"""Characters of the longest of them: a longer text rarely comes again, and is not worth the memory."""


class TextFacts(Struct, frozen=True):
    """What a text tells."""

    message: str
    level: Level | None = None
    exceptions: tuple[ExceptionInfo, ...] = ()
    close: Close | None = None


class _Outline(Struct, frozen=True):
    """What is the same of all texts that differ in digits only."""

    begin: int
    """Where the message begins, and ends."""
    end: int
    level: Level | None
    may_name: bool
    """It may tell of an exception."""
    may_close: bool
    """It may tell of a close."""


def said_of(text: str) -> TextFacts:
    """Return what a text of a log tells: as `read_text`, but what is remembered is not read again."""
    if len(text) > MEMORABLE:
        return read_text(text)
    outline = _outline_of(zeroed(text))
    if outline is None or outline.may_name or outline.may_close:
        return _remembered(text, outline)
    return TextFacts(text[outline.begin : outline.end], outline.level)


def read_text(text: str) -> TextFacts:
    """Read a text of a log."""
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
    """Return the outline of a text with zeros for digits; None where the message is no plain part of the text."""
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
