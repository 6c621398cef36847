"""Find the WebSocket close that a message or its JSON payload reports."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any

from forensics.entries.raw_fields import whole_number
from forensics.model import Close
from forensics.text.lazy_regex import late
from forensics.text.nested_values import text_at
from forensics.text.word_search import WordSearch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FIRST, _LAST = 1000, 4999
_KEYS = frozenset({"close_code", "closeCode", "reason"})
"""A payload without any of these keys reports no close."""
_CODE = late(r"[1-4][0-9]{3}(?![0-9])")
_SPEAKS = WordSearch("code", "lose", "eceiv", "isconnect", "LOSE", "sent ")
"""Every mark contains one of these words, and most texts contain none."""
_MARKS = ("receiv", "Receiv", "close", "Close", "CLOSE", "code", "disconnect", "Disconnect", "sent 1")

# received 1011 (internal error) Internal error; then sent 1011 (internal error) Internal error
# sent 1011 (internal error) keepalive ping timeout; no close frame received
_WEBSOCKETS = late(
    r"\b(?P<side>received|sent) (?P<code>\d{4}) \((?P<name>[^()\n]*)\)(?P<reason>[^;\n]*)", re.IGNORECASE
)
# code = 1008 (policy violation), reason = Auth failed    code=1011, reason='Internal error'    code = 1006, no reason
_CODE_AND_REASON = late(
    r"""\bcode\s?[=:]\s?(?P<code>\d{4})(?:\ \([^()\n]*\))?,?\s
    (?:no\ reason|(?:and\ )?reason\s?[=:]\s?)(?P<reason>'[^'\n]*'|"[^"\n]*"|[^\n,;)}]*)""",
    re.VERBOSE | re.IGNORECASE,
)
# close code 1006      closed with code 1011: Internal error      WebSocketDisconnect(code=1001)
_CLOSE_CODE = late(
    r"""(?:\b|websocket)(?:clos(?:e|ed|ing|ure)|disconnect(?:ed|ion)?)(?![a-z])[^\n\d]{0,40}?\bcode\W{0,3}(?P<code>\d{4})\b
    (?:\ \([^()\n]*\))?\W{0,2}(?:reason\W{0,3})?(?P<reason>[^\n;)}]*)""",
    re.VERBOSE | re.IGNORECASE,
)
# websocket: close 1006 (abnormal closure): unexpected EOF      WebSocket closed: 1011 Internal error      closed (1006)
_BARE = r"""\b(?:close|closed|disconnected)(?::\s?|\s?\(|\s(?=\d{4}\s\())(?P<code>CODE)\b(?![\-./:]\d)
    (?:\ \([^()\n]*\))?\W{0,2}(?P<reason>[^\n;)}]*)"""
_BARE_CODE = late(_BARE.replace("CODE", r"10(?:0\d|1[0-5])"), re.VERBOSE | re.IGNORECASE)
_BARE_NUMBER = late(_BARE.replace("CODE", r"\d{4}"), re.VERBOSE | re.IGNORECASE)
_SOCKET_WORDS = late(r"web.?socket|\bws\b|\bsocket\b|clos(?:e|ed|ing)\b|disconnect", re.IGNORECASE)


def close_in_values(message: str, values: Mapping[str, Any]) -> Close | None:
    """Return the close in a JSON payload, None without one; the message shows whether it is about sockets."""
    if _KEYS.isdisjoint(values):
        return None
    reason = text_at(values, "close_reason") or text_at(values, "closeReason") or text_at(values, "reason")
    for key in ("close_code", "closeCode"):
        close = _close(values.get(key), reason)
        if close is not None:
            return close
    # `code` alone may be anything: a database error, a gRPC status. Beside a reason, even an empty one, it is a close.
    if isinstance(values.get("reason"), str) and _SOCKET_WORDS.search(message):
        return _close(values.get("code"), reason)
    return None


def close_in_text(message: str) -> Close | None:
    """Return the close in a message; None without one."""
    if not _SPEAKS.is_in(message):
        return None
    if not any(mark in message for mark in _MARKS) or _CODE.search(message) is None:
        return None
    for match in _closes_in(message):
        close = _close(match["code"], match["reason"])
        if close:
            return close
    return None


def may_tell_close(message: str) -> bool:
    """Tell whether a message, or any that differs from it only in ASCII digits, may report a close."""
    # None of these patterns tells digits apart, and what `close_in_text` finds is found by one of them.
    patterns = (_WEBSOCKETS, _CODE_AND_REASON, _CLOSE_CODE, _BARE_NUMBER)
    return _SPEAKS.is_in(message) and any(pattern.search(message) for pattern in patterns)


def _closes_in(message: str) -> Iterator[re.Match[str]]:
    """Yield candidate closes, the most specific first; a pattern is tried only if its words occur."""
    lowered = message.lower()
    # Beyond ASCII, other characters count as letters of these words in another case.
    is_any = not message.isascii()
    if is_any or "received " in lowered or "sent " in lowered:
        # What the peer said comes first: "received 1011 …; then sent 1011 …" and "sent 1011 …; then received 1011 …".
        yield from sorted(_WEBSOCKETS.finditer(message), key=lambda match: match["side"].lower() != "received")
    if is_any or "code" in lowered:
        yield from islice(_CODE_AND_REASON.finditer(message), 1)
        yield from islice(_CLOSE_CODE.finditer(message), 1)
    if is_any or "close" in lowered or "disconnected" in lowered:
        yield from islice(_BARE_CODE.finditer(message), 1)


def _close(code: Any, reason: str) -> Close | None:
    number = whole_number(code)
    if number is None or not _FIRST <= number <= _LAST:
        return None
    stripped = reason.strip().strip("'\"").strip()
    return Close(code=number, reason="" if stripped.lower() in {"no reason", "none", "null", "undefined"} else stripped)
