"""Strip what loggers add to a message: colours, markup, emoji and the logger's prefix."""

from __future__ import annotations

import re
from functools import cached_property

from msgspec import Struct

from forensics.entries.decode.levels import LOGGER_LEVELS, PLAIN_LEVELS, level_of_name
from forensics.model import Level

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])")

# <red>Connection failed</red>, <level>…</level>, as loguru leaves them where colours are off
_MARKUP = re.compile(
    r"""</?(?: (?:light-)?(?:black|red|green|yellow|blue|magenta|cyan|white)
    | level | bold | dim | normal | italic | underline | strike | reverse | blink )?>""",
    re.VERBOSE,
)

# Bytes of UTF-8 that were read as cp1252: `ðŸš¨` is U+1F6A8, `âœ…` is U+2705, `ï¸` with what follows a variation mark.
_TAIL = "[\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]"
_SYMBOLS = re.compile(
    rf"""(?:
      [\u2190-\u21ff\u2300-\u23ff\u2460-\u27bf\u2900-\u297f\u2b00-\u2bff\ufffd
       \ufe00-\ufe0f\u200b-\u200d\u20e3\U0001f000-\U0001faff\U000e0020-\U000e007f]
    | ð{_TAIL}{{2,3}} | â{_TAIL}[{_TAIL[1:-1]}\ ] | ï¸{_TAIL}?
    | \[U\+[0-9A-Fa-f]{{4,6}}\]
    | \?+(?=\s)
    | \s
    )+""",
    re.VERBOSE,
)

_LEVEL = f"(?P<level>{'|'.join(LOGGER_LEVELS)})"
_ANY_CASE = f"(?i:{_LEVEL})"
_PLAIN = f"(?P<plain>(?i:{'|'.join(PLAIN_LEVELS)}))"
# A logger's name is dotted, a path, or one of these; any other word before a colon belongs to the message.
_NAME = (
    r"(?:[a-z_]\w*(?:(?:\.|::|/)[\w\-]+)+|root|main|__main__|app|api|server|worker|uvicorn|celery)(?::\d+)?(?:\[\d+\])?"
)
_TIME = r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:\ ?(?:Z|UTC|[+-]\d\d:?\d\d))?"
_CLOCK = r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"


class _Patterns:
    """Patterns that are tried in order; compiled when a text first matches their common beginning."""

    def __init__(self, *sources: str, begin: str = "") -> None:
        self._sources = sources
        self._begins = re.compile(begin, re.VERBOSE)

    @cached_property
    def _patterns(self) -> tuple[re.Pattern[str], ...]:
        return tuple(re.compile(source, re.VERBOSE) for source in self._sources)

    def match(self, text: str) -> re.Match[str] | None:
        """Return the match of the first pattern that fits."""
        if self._begins.match(text) is None:
            return None
        return next((match for pattern in self._patterns if (match := pattern.match(text))), None)


# Each pattern stands under a line that it matches. Tried in order, by the kind of the first character; `begin` is what
# all of them begin with.
_DIGIT_BEGIN = r"\d{4}[-/]\d\d[-/]\d\d[T\ ]\d | \d\d:\d\d:\d\d"
_AT_DIGIT = _Patterns(
    # 2025/09/16 00:41:13 [error] 12#12: *1 upstream closed
    rf"\d{{4}}/\d\d/\d\d\ {_CLOCK}\ \[{_ANY_CASE}\]\ \d+\#\d+:\ (?:\*\d+\ )?",
    # 2025-08-25 16:18:59.706 | ERROR    | app.core:connect:150 | Connection lost
    # 2025-08-25 16:18:59.706 | ERROR    | app.core:connect:150 - Connection lost
    rf"{_TIME}\ \|\ {_ANY_CASE}\s*\|\ [^|\n]{{1,200}}?(?:\ \|\ |\ -\ )",
    # 2025-09-16 00:41:13.084  INFO 1 --- [           main] c.e.Application  : Started
    rf"{_TIME}\s+{_LEVEL}\s+\d+\ ---\ (?:\[[^\]\n]*\]\s?){{1,20}}\s*+\S*\s*:\ ",
    # 2026-02-20 15:45:50,218 - server - INFO - Loaded      2026-02-20 15:45:50,218 - INFO - app.db - Loaded
    rf"{_TIME}(?:\ -\ [\w.\-:/]+){{0,2}}?\ -\ {_ANY_CASE}(?:\ -\ [a-z_]\w*(?:\.\w+)+)?\ -\ ",
    # 2026-06-17 15:45:56,423 [INFO] agent.x: Loaded        2026-06-17T15:45:56.423Z [error]: Failed
    rf"{_TIME},?\ (?:\[\d+\]\ )?\[\s*{_ANY_CASE}\s*\]:?\ ?(?:\[[^\]\n]{{1,80}}\]:?\ )*(?:{_NAME}:\ )?",
    # 00:41:13.084 [error] GenServer App.Shop terminating      00:41:13.084 request_id=F7x [error] ** (KeyError) …
    rf"{_CLOCK}\ (?:\w+=\S+\ )*\[{_ANY_CASE}\]\ ",
    # 00:41:13.084 [main] ERROR c.e.Application - Failed    2025-09-16 00:41:13,084 [main] ERROR c.e.App - Failed
    rf"(?:{_TIME}|{_CLOCK})\ \[[^\]\n]{{1,80}}\]\ +{_LEVEL}\s+\S+\s+[-:]\ ",
    # 2025-09-16 00:41:13,084 INFO sqlalchemy.engine.Engine BEGIN       2025-09-16T00:41:13Z ERROR crate::module: Failed
    # 2025-09-16 00:41:13,084 ERROR [io.quarkus.run.Application] (main) Failed
    rf"{_TIME}\s+{_LEVEL}\s*:?\s+(?:\[[^\]\n]{{1,80}}\]\s+)*(?:\([^)\n]{{1,60}}\)\s+|{_NAME}:?\s+)?(?:-\s)?",
    # 2025/09/16 00:41:13 main.go:23: listening
    rf"\d{{4}}/\d\d/\d\d\ {_CLOCK}\ [\w./\-]+\.go:\d+:\ ",
    # 2025-09-16T00:41:13.084Z error: Failed                            2025-09-16 00:41:13 Failed
    rf"{_TIME}[:,]?\s+(?:[-|]\s+)?(?:{_PLAIN}:\s+)?",
    begin=_DIGIT_BEGIN,
)
_AT_BRACKET = _Patterns(
    # [2025-09-16 00:41:31 +0000] [13] [INFO] Booting worker
    rf"\[{_TIME}\]\s*\[\d+\]\s*\[{_ANY_CASE}\]\s*",
    # [2026-03-23 17:50:53,534] ERROR in app: Exception on /pay [POST]
    rf"\[{_TIME}\]\ {_LEVEL}\ in\ [\w.]+:\ ",
    # [2025-09-16 00:41:13,084: ERROR/MainProcess] Task raised
    rf"\[{_TIME}:\ {_LEVEL}/[\w\-]+\]\ ",
    # [2025-09-16T00:41:13Z ERROR crate::module] Failed
    rf"\[{_TIME}\ {_LEVEL}\s+[\w:.\-]+\]\ ",
    # [00:41:13 ERR] Failed                                 [00:41:13 ERR] [Shop.Api] Failed
    rf"\[(?:{_TIME}|{_CLOCK})\ {_ANY_CASE}\]\s*(?:\[[\w.]+\]\ )?",
    # [2025-09-16 00:41:13] production.ERROR: Failed
    rf"\[{_TIME}\]\ [\w\-]+\.{_LEVEL}:\ ",
    # [10:11:12.123] ERROR (api/1): Failed                  [2025-09-16 00:41:13.084 +0000] ERROR: Failed
    rf"\[(?:{_TIME}|{_CLOCK})\]\ {_LEVEL}(?:\ \([^)\n]*\))?:\ ",
    # [Nest] 1  - 02/02/2026, 10:11:12 AM   ERROR [ExceptionsHandler] Failed
    rf"\[Nest\]\ \d+\s+-\ [\d/.\-]+,?\ [\d:]+(?:\s[AP]M)?\s+{_LEVEL}\s+(?:\[[^\]\n]{{1,80}}\]\s+)?",
    # [Tue Sep 16 00:41:13.084 2025] [php:error] [pid 1] Failed
    rf"\[[A-Z][a-z]{{2}}\ [A-Z][a-z]{{2}}\ [\d\ ]\d\ {_CLOCK}\ \d{{4}}\]\ \[[\w]*:?{_ANY_CASE}\]\ (?:\[[^\]\n]*\]\ )*",
    # [16-Sep-2025 00:41:13 UTC] PHP Fatal error: Failed
    rf"\[\d\d-[A-Z][a-z]{{2}}-\d{{4}}\ {_CLOCK}(?:\ [\w/]+)?\]\ ",
    # [2025-09-16 00:41:13] [ERROR] Failed                  [2025-09-16T00:41:13Z] Failed
    rf"\[{_TIME}\]\s*(?:\[{_ANY_CASE}\]:?\s*|{_PLAIN}:?\s+)?",
    # [7]       ERROR:    Failed
    rf"\[\d+\]\s+{_LEVEL}:\s+",
    # [ERROR] Failed
    rf"\[{_PLAIN}\]:?\s*",
    begin=r"\[(?:\d | Nest\] | [A-Z][a-z]{2}\ [A-Z] | [^\W\d_]+\])",
)
_LETTER_BEGIN = r"[A-Z]{3,}[:\s] | [DIWEFA], | [IWEF]\d{4} | Step\ \# | [A-Z][a-z]{2}\ \d | \w{4}:\ [\w.`+\-]+\["
_AT_LETTER = _Patterns(
    # ERROR:app.db:Failed
    r"(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL):[\w.\-]+:",
    # INFO:     127.0.0.1:5000 - "GET / HTTP/1.1" 200 OK
    r"(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL):\ {2,}",
    # E, [2025-09-16T00:41:13.084505 #13] ERROR -- : [5f0c-11] Failed
    rf"[DIWEFA],\ \[{_TIME}\ \#\d+\]\s+{_LEVEL}\ --\ [^:\n]*:(?:\ |$)(?:\[[^\]\n]{{4,64}}\]\s)*",
    # ERROR 2025-09-16 00:41:13,084 views 7 140213 Failed      ERROR 2025-09-16 00:41:13,084 Failed
    rf"{_LEVEL}\s+{_TIME}\s+(?:[\w.]+\s+\d+\s+\d+\s+)?",
    # NOTICE: PHP message: PHP Fatal error: …      WARNING: [pool www] child 7 said into stderr: "…     (not its level)
    r"(?:NOTICE|WARNING|ERROR):\ (?:PHP\ message:\ |\[pool\ [\w.\-]+\]\ child\ \d+\ said\ into\ std(?:err|out):\ \"?)",
    # Step #0 - "Build": npm error code EUSAGE
    r'Step\ \#\d+(?:\ -\ "[^"\n]*")?:\ ',
    # E0916 00:41:13.084505       1 controller.go:123] Failed
    r"(?P<klog>[IWEF])\d{4}\ \d\d:\d\d:\d\d\.\d+\s+\d+\ [\w./\-]+:\d+\]\ ",
    # Sep 16, 2025 12:41:13 AM com.example.App start\nSEVERE: Failed
    rf"[A-Z][a-z]{{2}}\ \d\d?,\ \d{{4}}\ [\d:]+\ [AP]M\ \S+\ \S+\n{_LEVEL}:\ ",
    # fail: Microsoft.AspNetCore.Server.Kestrel[13] Connection refused
    r"(?i:(?P<level>trce|dbug|info|warn|fail|crit)):\ [\w.`+\-]+\[\d+\]\s*",
    begin=_LETTER_BEGIN,
)
_KLOG = {"I": Level.INFO, "W": Level.WARNING, "E": Level.ERROR, "F": Level.CRITICAL}

# time="2025-09-16T00:41:13Z" level=error msg="Failed" error="timeout"      level=warn ts=… msg="retrying" attempt=2
_LOGFMT = _Patterns(
    r"""(?s:(?:\w+=(?:"[^"\n]*"|\S*)\ ){0,3}?level="?(?P<level>[A-Za-z]+)"?\ (?:[\w.]+=(?:"[^"\n]*"|\S*)\ ){0,3}?
    msg=(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>\S+))(?P<rest>.*))""",
)

# Levels that a text states without being a logger's prefix; these words stay in the message.
# ERROR: relation "x" does not exist      error: could not connect      CRITICAL - disk      PHP Fatal error:  Uncaught
_STATED = _Patterns(
    rf"""(?: {_PLAIN}(?:\ error)?\s?(?::|\ -)\s
    | (?P<caps>DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL|SEVERE)\s
    | (?:npm|pnpm)\ (?P<npm>ERR!|(?:WARN|error|warn)\b)
    | (?:PHP\ |\S{{1,200}}\.swift:\d+:\ )?(?P<php>Fatal|Parse)\ error:
    | \S{{1,300}}\.py:\d+:\ (?P<warning>\w*Warning):\ )""",
)
_WORD = re.compile(r"[^\W\d_]+")
_STATING = frozenset({*PLAIN_LEVELS, "NPM", "PNPM", "PHP", "FATAL", "PARSE"})
"""First words of a text that states a level, unless it begins with a file and line."""

# What begins with neither: a word in ASCII, or a digit
_BARE = re.compile(rf"(?!{_DIGIT_BEGIN} | {_LETTER_BEGIN}) (?: (?P<word>[A-Za-z]+)(?![^\W\d_]) | [0-9])", re.VERBOSE)

_ROUNDS = 3


class Undecorated(Struct, frozen=True):
    """A text without its decoration, and the facts in that decoration."""

    message: str
    level: Level | None
    prefixed: bool
    """True when the text had a logger's prefix, so that it begins a message."""


def undecorate(text: str) -> Undecorated:
    """Strip colours, markup, leading symbols and logger prefixes; the message is empty only where the text is blank."""
    message = without_colours(text).strip()
    if _is_bare(message):
        return Undecorated(message, None, False)
    level: Level | None = None
    prefixed = False
    for _ in range(_ROUNDS):
        before = message
        message = _without_symbols(message)
        rest, found = _without_prefix(message)
        if rest is not None:
            message, prefixed, level = rest.strip() or message, True, level or found
        if message == before:
            break
    if level is None and message:
        level = _stated_level(message)
    return Undecorated(message or text.strip(), level, prefixed)


def _is_bare(message: str) -> bool:
    """Tell whether a text certainly has no symbol, prefix or level at its beginning, as most texts."""
    begin = _BARE.match(message)
    if begin is None or ("level=" in message[:120] and "msg=" in message):
        return False
    word = begin["word"]
    # As in `_stated_level`: the place of a line of code may stand before a level, too.
    return (word is None or word.upper() not in _STATING) and ".py:" not in message and ".swift:" not in message


def begins_like_logger(text: str) -> bool:
    """Tell whether a text begins with a logger's prefix or states a level, so that it begins a message."""
    return has_logger_prefix(text) or _stated_level(_without_symbols(text)) is not None


def has_logger_prefix(text: str) -> bool:
    """Tell whether a text begins with a logger's prefix; a level alone is not enough."""
    return _without_prefix(_without_symbols(text))[0] is not None


def without_colours(text: str) -> str:
    """Strip terminal sequences and loguru's markup."""
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    if "<" in text and ">" in text:
        text = _MARKUP.sub("", text) if _MARKUP.sub("", text).strip() else text
    return text


def open_markup(text: str) -> int:
    """Return the number of loguru tags that a text opens minus the number it closes."""
    tags = _MARKUP.findall(text) if "<" in text else []
    return sum(-1 if tag.startswith("</") else 1 for tag in tags)


def _without_symbols(text: str) -> str:
    if not text or (text[0] < "\x7f" and text[0] not in "?["):
        return text
    symbols = _SYMBOLS.match(text)
    return text[symbols.end() :] if symbols and symbols.end() < len(text) else text


def _without_prefix(text: str) -> tuple[str | None, Level | None]:
    """Return the text after a logger's prefix (None without a prefix) and the prefix's level."""
    first = text[:1]
    if first.isdigit():
        patterns = _AT_DIGIT
    elif first == "[":
        patterns = _AT_BRACKET
    elif first.isalpha() and first.isascii():
        patterns = _AT_LETTER
    else:
        return None, None
    if "level=" in text[:120] and "msg=" in text:
        logfmt = _LOGFMT.match(text)
        if logfmt:
            return _logfmt_message(logfmt), level_of_name(logfmt["level"])
    match = patterns.match(text)
    return (None, None) if match is None else (text[match.end() :], _level_of(match))


def _level_of(match: re.Match[str]) -> Level | None:
    groups = match.groupdict()
    if groups.get("klog"):
        return _KLOG[groups["klog"]]
    name = groups.get("level") or groups.get("plain")
    return level_of_name(name) if name else None


def _logfmt_message(match: re.Match[str]) -> str:
    quoted = match["quoted"]
    if quoted is None:
        return match["bare"] + match["rest"]
    return quoted.replace('\\"', '"').replace("\\n", "\n").replace("\\t", "\t") + match["rest"]


def _stated_level(message: str) -> Level | None:
    word = _WORD.match(message)
    states = word is not None and (word[0].upper() in _STATING or not word[0].isascii())
    stated = _STATED.match(message) if states or ".py:" in message or ".swift:" in message else None
    if stated is None:
        return None
    if stated["warning"] or stated["npm"] in {"WARN", "warn"}:
        return Level.WARNING
    if stated["npm"] or stated["php"]:
        return Level.ERROR
    return level_of_name(stated["caps"] or stated["plain"])
