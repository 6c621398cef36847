"""Remove secrets and personal data from the text of a log.

Every exemplar, capture and template passes through here before it enters a report, because reports are passed on. The
kind of a value is kept (that there was a token), never the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_Guard = Callable[[str], bool]
"""A plain search that tells whether a pattern may match a text."""

# The name is the whole word that holds one of these: asked once for each word, however many it holds.
_GUARDED_NAME = (
    r"(?:(?<![\w.-])(?=[\w.-]*(?:password|passwd|pwd|secret|token|(?:api|access|private)[_-]?key|credential))[\w.-]++"
    r"|\b(?:authorization|cookie|set-cookie|x-api-key))"
)


def _names_secret(text: str) -> bool:
    """Tell whether a guarded name may occur in a text, before `=` or `:`."""
    if "=" not in text and ":" not in text:
        return False
    # Beyond ASCII, other characters count as letters of these words in another case.
    if not text.isascii():
        return True
    lowered = text.lower()
    return (
        "pass" in lowered
        or "pwd" in lowered
        or "secret" in lowered
        or "token" in lowered
        or "key" in lowered
        or "credential" in lowered
        or "authorization" in lowered
        or "cookie" in lowered
    )


_PATTERNS: tuple[tuple[_Guard, re.Pattern[str], str], ...] = (
    # -----BEGIN PRIVATE KEY----- … -----END PRIVATE KEY----- (also with the line breaks escaped)
    (
        lambda text: "-----BEGIN" in text,
        re.compile(r"-----BEGIN [A-Z ]{3,40}-----.*?(?:-----END [A-Z ]{3,40}-----|\Z)", re.DOTALL),
        "[redacted:key]",
    ),
    # eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl
    (
        lambda text: "eyJ" in text,
        re.compile(r"(?<![\w-])(?>(?P<before>[\w-]*?)\beyJ)[\w-]{6,}+\.[\w-]{6,}(?:\.[\w-]*)?"),
        r"\g<before>[redacted:jwt]",
    ),
    # Authorization: Bearer abc.def      Basic dXNlcjpwYXNz, but not: Basic authentication failed
    (
        lambda text: "earer" in text or "asic" in text,
        re.compile(
            r"\b([Bb]earer|[Bb]asic(?=\s+[\w+/-]*(?:[0-9=]|[a-z][A-Z])))\s+(?!REDACTED|\[redacted)[\w.~+/=-]{8,}"
        ),
        r"\1 [redacted:token]",
    ),
    # postgresql://user:pass@host
    (
        lambda text: "://" in text and "@" in text,
        re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]{1,20}://)[^\s/@:]{1,256}:[^\s/@]{1,256}@"),
        r"\g<scheme>[redacted:login]@",
    ),
    # AIzaSy…, ya29.…, ghp_…, sk-…, xoxb-…, AKIA…
    (
        lambda text: any(mark in text for mark in ("AIza", "ya29.", "gh", "sk-", "xox", "AKIA")),
        re.compile(
            r"\b(?:AIza[\w-]{30,}|ya29\.[\w-]{10,}|gh[pousr]_\w{20,}|github_pat_\w{20,}|sk-[\w-]{16,}|xox[abprs]-[\w-]{10,}"
            r"|AKIA[0-9A-Z]{16})"
        ),
        "[redacted:key]",
    ),
    # DB_PASSWORD=hunter2, "api_key": "abc", 'token': 'x', secret=…; prose such as "token: expired" stays
    (
        _names_secret,
        re.compile(
            rf"""(?P<name>{_GUARDED_NAME})(?P<q>\\?["']?)(?P<sep>\s*=\s*|\s*:\s*(?=\\?["']))(?P<v>\\?["']?)"""
            r"""(?!REDACTED|\[redacted|\*|\(|None\b|null\b|true\b|false\b)[^\s"',;&)}\]\\]{3,}""",
            re.IGNORECASE,
        ),
        r"\g<name>\g<q>\g<sep>\g<v>[redacted]",
    ),
    # jane.doe@example.com
    # A service account is no person, and whoever mends its roles needs its name: ci@shop.iam.gserviceaccount.com
    (
        lambda text: "@" in text,
        re.compile(
            r"\b[\w.+%-]{1,64}@(?![\w-]{1,63}(?:\.[\w-]{1,63})?\.gserviceaccount\.com(?![\w-]|\.\w))"
            r"[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}\b"
        ),
        "[redacted:email]",
    ),
)


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
"""Control characters, direction overrides and lone surrogates: they hide text or steer a terminal."""


def _may_hold_any(text: str) -> bool:
    """Tell whether any pattern may match a text; written as one expression because it runs on every line."""
    return (
        "@" in text
        or _names_secret(text)
        or "eyJ" in text
        or "-----BEGIN" in text
        or "earer" in text
        or "asic" in text
        or "AIza" in text
        or "ya29." in text
        or "gh" in text
        or "sk-" in text
        or "xox" in text
        or "AKIA" in text
    )


def redact(text: str) -> str:
    """Replace secrets and personal data by the kind of value: `[redacted:token]`."""
    if not _may_hold_any(text):
        return text
    for may_be_in, pattern, replacement in _PATTERNS:
        if may_be_in(text):
            text = pattern.sub(replacement, text)
    return text


def visible(text: str) -> str:
    """Drop characters that are invisible or control a terminal; line breaks and tabs stay."""
    # Nearly every line is unchanged here; `isprintable` is twenty times as fast as the pattern.
    return text if text.isprintable() else _CONTROL.sub("", text)


def quote(text: str, limit: int = 300) -> str:
    """Redact, make visible and shorten to `limit` characters, for a citation."""
    # Cut first, generously: redaction of a 30 kB traceback for a one-line citation would be wasted.
    clean = visible(redact(text[: limit * 8])).strip()
    return clean if len(clean) <= limit else clean[: limit - 1].rstrip() + "…"


def first_line(text: str, limit: int = 300) -> str:
    """`quote` the first line that is not blank."""
    # No more than `quote` reads: the rest may be long and would only be copied.
    return quote(text.lstrip()[: limit * 8].split("\n", 1)[0], limit)
