"""Recognise names of exception types, and lines that begin with one."""

from __future__ import annotations

import re

from forensics.model import ExceptionInfo
from forensics.text.lazy_regex import late

# Types whose name does not end like an exception's.
_KNOWN = (
    "KeyboardInterrupt|SystemExit|StopIteration|StopAsyncIteration|GeneratorExit|DoesNotExist|MultipleObjectsReturned"
    "|ObjectDoesNotExist|PermissionDenied|ImproperlyConfigured|DisallowedHost|AppRegistryNotReady|NoReverseMatch"
    "|TemplateDoesNotExist|Http404|ConnectTimeout|ReadTimeout|WriteTimeout|PoolTimeout|ReadTimeoutError"
    "|ConnectionClosed|ConnectionClosedOK|WebSocketDisconnect|UndefinedTable|UndefinedColumn|UniqueViolation"
)
# asyncpg.exceptions.ConnectionDoesNotExist, psycopg2.errors.UndefinedTable, botocore.errorfactory.Throttling
_PACKAGE = r"(?:\w+\.)*(?:errors?|exceptions?|exc|err|errorfactory)\.[A-Z]\w+"
_ENDS_LIKE_ONE = r"(?:[A-Za-z_][\w$]*(?:\.|::|\\))*(?:[A-Z_][\w$]*)?(?:Error|Exception|Throwable|Fault|Panic)\d?"
# socket.timeout, socket.gaierror, sqlite3.error, struct.error
_LOWER = (
    r"(?:socket|select|ssl|zlib|struct|sqlite3|binascii|re|signal|urllib\.error|http\.client)\.(?:[a-z]*error|timeout)"
)
TYPE = rf"(?:{_PACKAGE}|{_ENDS_LIKE_ONE}|(?:[A-Za-z_]\w*\.)*(?:{_KNOWN})|{_LOWER})"

_TYPE_ALONE = late(rf"{TYPE}\Z")

# Words of a runtime before the name of an uncaught exception.
UNCAUGHT = (
    r"(?:(?:error:\ )?(?:Uncaught|Unhandled|Unexpected)(?:\ (?:exception|error|rejection|promise\ rejection))?"
    r"(?:\ \(in\ promise\))?[:.]?\s+|UnhandledPromiseRejection(?:Warning)?:\s+|Exception\ in\ thread\ \S+\s+"
    r"|PHP\ (?:Fatal|Parse)\ error:\s+(?:Uncaught\ )?|Fatal\ error:\s+Uncaught\ |panic:\s+)"
)

_CRASH = late(
    r"(?:uncaught|unhandled) (?:exception|error|rejection|promise)|unhandledpromiserejection"
    r"|exception in (?:thread|asgi application|worker process)|fatal python error",
    re.IGNORECASE,
)

# TypeError: x is not a function
# Uncaught exception: SyntaxError: unterminated string literal
# [Capture Error Trace] SyntaxError: Expected ',' or ']'
# UnhandledPromiseRejection [ERR_X]: …      Error [ShopClientError]: …      ShopClientError [Error]: …
# NoMethodError (undefined method 'total' for nil):
_START = late(
    rf"""(?:\[[^\]\n]{{1,60}}\]\s*)* (?i:{UNCAUGHT})? (?P<type>{TYPE}) (?:\ \[(?P<tag>\w{{1,100}})\])?
    (?: :(?=\s|$)\s*(?P<value>.*) | \ \((?P<told>[^\n]*)\):?[ \t]*(?:\n.*)?\Z | \Z)""",
    re.VERBOSE | re.DOTALL,
)
# (psycopg2.OperationalError) connection to server failed
_IN_PARENTHESES = late(rf"\((?=[^)]{{1,400}}\))(?P<type>[\w.]+\.{TYPE}|{TYPE})\)\s+(?P<value>.*)", re.DOTALL)

_SCANNED = 400
"""Characters in which a type's name is searched: it is at the start of a text."""


def is_exception_type(name: str) -> bool:
    """Tell whether a word is the name of an exception type."""
    return bool(name) and _TYPE_ALONE.match(name) is not None


def reports_crash(text: str) -> bool:
    """Tell whether a text begins with a runtime's report of an uncaught exception."""
    return text[:1] in "eEfFuU" and _CRASH.match(text) is not None


def typed_start(text: str) -> ExceptionInfo | None:
    """Return the exception at the start of a text: `TypeError: …`, `Uncaught exception: X: …`, `(pkg.XError) …`."""
    if ":" not in text[:_SCANNED] and ")" not in text[:_SCANNED]:
        return None
    match = _IN_PARENTHESES.match(text) if text.startswith("(") else _START.match(text)
    if match is None or match["type"] is None:
        return None
    parts = match.groupdict()
    value = parts.get("told") or match["value"] or ""
    return ExceptionInfo(type=told_type(match["type"], parts.get("tag")), value=value.strip())


def told_type(name: str, tag: str | None) -> str:
    """Return the more telling of a type and the name in brackets behind it: Node prints either first."""
    return tag if tag is not None and name == "Error" and is_exception_type(tag) else name
