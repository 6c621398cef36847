"""Parse Dart's and Flutter's stacks into exceptions."""

from __future__ import annotations

import re

from forensics.entries.tracebacks.exception_types import TYPE
from forensics.model import ExceptionInfo, Frame
from forensics.text.lazy_regex import late

# E/flutter ( 5090):      I/flutter ( 5090):      flutter:
_DEVICE = late(r"^(?:[EIWV]/flutter[ ]?\([ \d]+\): ?|flutter: )", re.MULTILINE)
# #0      Shop.pay (package:shop/shop.dart:12:3)      also with the place on a line of its own
_FRAME = late(r"^[ \t]*+#\d+[ \t]++(?P<rest>[^\n]+)", re.MULTILINE)
_PLACE = late(r"(?P<file>(?:package:|dart:|file:///|http://)?[^\s():]+)(?::(?P<line>\d+))?(?::\d+)?\)?[ \t]*$")
# package:shop/shop.dart 12:3   Shop.pay
_TERSE = late(
    r"^[ \t]*+(?P<file>(?:package:|dart:|file:///)?[\w./\-+]+(?:\.dart)?)"
    r"(?: (?P<line>\d+)(?::\d+)?)?[ \t]{2,}(?P<function>[^\n]+)$",
    re.MULTILINE,
)
# Unhandled exception:      [ERROR:flutter/runtime/dart_vm_initializer.cc(41)] Unhandled Exception: …
_ANNOUNCED = late(r"(?:Unhandled [Ee]xception|Uncaught Error|Unhandled error [^\n:]{0,80}):[ \t]*\n?")
_TYPED = late(rf"(?:Uncaught Error: )?(?P<type>_?{TYPE})(?: \([^)\n]*\))?(?::\s*(?P<value>.*)|\s*\Z)", re.DOTALL)
_INSTANCE = late(r"Instance of '(?P<type>[^'\n]+)'")

# Errors whose own words do not begin with their type.
_BY_WORDS = (
    ("type '", "TypeError"),
    ("Null check operator", "TypeError"),
    ("Bad state:", "StateError"),
    ("Invalid argument", "ArgumentError"),
    ("Unsupported operation:", "UnsupportedError"),
    ("Concurrent modification", "ConcurrentModificationError"),
    ("Stack Overflow", "StackOverflowError"),
    ("Out of Memory", "OutOfMemoryError"),
    ("'package:", "AssertionError"),
    ("Failed assertion", "AssertionError"),
)
_PACKAGES = late(
    r"""(?:dart:|package:(?:flutter|flutter_\w+|[s]helf\w*|http\w*|dio|test|test_api|test_core|stack_trace|async
    |postgres|mysql\w*|grpc|sentry\w*
    |firebase\w*|cloud_\w+|provider|bloc|flutter_bloc|get|riverpod|isolate\w*|stream_\w+|collection|path
    |args|googleapis\w*
    |logging|redis|mongo_dart|web_socket_channel|io|appengine|gcloud|neat_\w+|retry|yaml|json_\w+|build\w*|analyzer
    |sqflite|hive|drift|graphql\w*|dart_frog|serverpod\w*|functions_framework|aqueduct|conduit\w*|angel\w*)/)""",
    re.VERBOSE,
)


def may_be(text: str) -> bool:
    """Tell whether a text may contain a Dart stack."""
    return ".dart" in text or "(dart:" in text or "flutter/" in text


def parse(text: str) -> tuple[ExceptionInfo, ...]:
    """Return the exception in a text; empty without a stack of Dart."""
    if "flutter" in text:
        text = _DEVICE.sub("", text)
    calls = _numbered(text) or (_terse(text) if "package:" in text else [])
    if not calls and not ("flutter/" in text and _ANNOUNCED.search(text)):
        return ()
    kind, value = _said(text[: calls[0][0]] if calls else text)
    if not kind and len(calls) == 1:
        return ()
    return (ExceptionInfo(type=kind, value=value, frames=tuple(frame for _, frame in reversed(calls))),)


def _said(text: str) -> tuple[str, str]:
    """Return the type and the words above a stack."""
    announced = _ANNOUNCED.search(text)
    words = text[announced.end() :] if announced else _last_paragraph(text)
    words = words.strip()
    typed = _TYPED.match(words)
    if typed:
        return typed["type"], (typed["value"] or "").strip()
    instance = _INSTANCE.match(words)
    if instance:
        return instance["type"], words
    named = next((kind for begin, kind in _BY_WORDS if words.startswith(begin)), "")
    return named or ("Exception" if announced else ""), words


def _last_paragraph(text: str) -> str:
    lines = [line.strip() for line in text.rstrip().split("\n")]
    for at, line in enumerate(lines):
        if line in {"Error:", "Stack:"}:
            continue
        if _TYPED.match(line) or any(line.startswith(begin) for begin, _ in _BY_WORDS):
            rest = [each for each in lines[at:] if not each.startswith(("Stack:", "When the exception was thrown"))]
            return "\n".join(rest)
    return ""


def _numbered(text: str) -> list[tuple[int, Frame]]:
    """Return each frame of a numbered stack, and where it begins."""
    found: list[tuple[int, Frame]] = []
    for call in _FRAME.finditer(text):
        function, bracket, place = call["rest"].rstrip().rpartition(" (")
        if not bracket:  # the place is on the next line, as consoles show it
            function, place = call["rest"], text[call.end() + 1 :].partition("\n")[0]
        match = _PLACE.match(place.strip())
        if match and (".dart" in place or match["file"].startswith(("dart:", "package:"))):
            found.append((call.start(), _frame(match, function)))
    return found


def _terse(text: str) -> list[tuple[int, Frame]]:
    return [(call.start(), _frame(call, call["function"])) for call in _TERSE.finditer(text)]


def _frame(place: re.Match[str], function: str) -> Frame:
    file = place["file"]
    line = int(place["line"][:9]) if place["line"] else None
    foreign = _PACKAGES.match(file) is not None or "/.pub-cache/" in file
    return Frame(file=file, line=line, function=function.strip(), in_app=not foreign)
