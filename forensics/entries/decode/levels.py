"""Map the names and numbers of severities in various loggers to `Level`."""

from __future__ import annotations

from typing import Any

from forensics.entries.raw_fields import whole_number
from forensics.model import Level

_NAMES = {
    Level.DEBUG: "TRACE TRC TRCE DEBUG DBG DBUG VERBOSE VRB SILLY FINE FINER FINEST",
    Level.INFO: "INFO INF INFORMATION INFORMATIONAL LOG HTTP CONFIG SUCCESS",
    Level.NOTICE: "NOTICE",
    Level.WARNING: "WARNING WARN WRN",
    Level.ERROR: "ERROR ERR ERRO SEVERE FAIL",
    Level.CRITICAL: "CRITICAL CRIT FATAL FTL DPANIC PANIC",
    Level.ALERT: "ALERT",
    Level.EMERGENCY: "EMERGENCY EMERG",
}
_BY_NAME = {name: level for level, names in _NAMES.items() for name in names.split()}
_BY_NAME.update({level.value: level for level in Level})

# Words that are levels only where a logger writes them: `log:` and `http:` may begin any sentence.
_ONLY_OF_LOGGERS = frozenset(
    {"SILLY", "LOG", "HTTP", "CONFIG", "SUCCESS", "FAIL", "FINE", "ALERT", "EMERG", "EMERGENCY"}
)

LOGGER_LEVELS = tuple(sorted((name for name in _BY_NAME if name != "DEFAULT"), key=lambda name: (-len(name), name)))
"""Names of levels for patterns, longest first."""
PLAIN_LEVELS = tuple(name for name in LOGGER_LEVELS if name not in _ONLY_OF_LOGGERS)
"""Names that state a level at the beginning of any line."""

_SYSLOG = (
    Level.EMERGENCY,
    Level.ALERT,
    Level.CRITICAL,
    Level.ERROR,
    Level.WARNING,
    Level.NOTICE,
    Level.INFO,
    Level.DEBUG,
)
_LEVELS = tuple(Level)


def level_of_name(name: str) -> Level | None:
    """Return the level named by a word; None when it is no level."""
    return _BY_NAME.get(name) or _BY_NAME.get(name.strip().upper())


def level_of_severity(value: Any) -> Level | None:
    """Return the level of a `severity` field: a name in any case, or Cloud Logging's number."""
    if isinstance(value, str):
        named = _BY_NAME.get(value) or level_of_name(value)
        if named is not None:
            return named
    number = whole_number(value)
    return None if number is None else _LEVELS[max(0, min(number // 100, len(_LEVELS) - 1))]


def level_of_number(value: Any) -> Level | None:
    """Return the level of a number in a JSON payload: pino and bunyan count 10 to 60, Cloud Logging 100 to 800."""
    number = whole_number(value)
    if number is None or number <= 0:
        return None
    if number >= 100:  # noqa: PLR2004
        return level_of_severity(number)
    pino = (Level.DEBUG, Level.DEBUG, Level.INFO, Level.WARNING, Level.ERROR, Level.CRITICAL)
    return pino[min(max(number // 10, 1), len(pino)) - 1] if number >= 10 else None  # noqa: PLR2004


def level_of_python_number(value: Any) -> Level | None:
    """Return the level of Python's `levelno`, where 30 is a warning and 40 an error."""
    number = whole_number(value)
    return None if number is None or number <= 0 else level_of_number(min(number + 10, 60))


def level_of_syslog(value: Any) -> Level | None:
    """Return the level of a syslog or journald priority, 0 to 7."""
    number = whole_number(value)
    return _SYSLOG[number] if number is not None and 0 <= number < len(_SYSLOG) else None
