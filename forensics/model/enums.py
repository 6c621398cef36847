"""Words with a fixed set of values: levels, roles, priorities, classes, verdicts."""

from __future__ import annotations

from enum import StrEnum
from typing import NewType, Self

Nanoseconds = NewType("Nanoseconds", int)
ClusterId = NewType("ClusterId", str)


class Level(StrEnum):
    """Cloud Logging's LogSeverity. `rank` is its number there."""

    DEFAULT = "DEFAULT"
    DEBUG = "DEBUG"
    INFO = "INFO"
    NOTICE = "NOTICE"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"
    ALERT = "ALERT"
    EMERGENCY = "EMERGENCY"

    @property
    def rank(self) -> int:
        """0 for DEFAULT up to 800 for EMERGENCY."""
        return _LEVEL_RANK[self]


_LEVEL_RANK = {level: 100 * i for i, level in enumerate(Level)}


class Role(StrEnum):
    """What a signature is in a causal chain; the first is the most specific."""

    CAUSE = "cause"
    MECHANISM = "mechanism"
    SYMPTOM = "symptom"
    NOISE = "noise"

    @property
    def rank(self) -> int:
        """0 for cause up to 3 for noise."""
        return _ROLE_RANK[self]


_ROLE_RANK = {role: i for i, role in enumerate(Role)}


class Priority(StrEnum):
    """How soon somebody has to act: P0 now, P3 when there is time."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"


class Phase(StrEnum):
    """When failures of a class happen."""

    DEPLOY = "deploy"
    """Before an instance starts; counted for each start."""
    START_UP = "start-up"
    """While an instance starts, so that it never serves; counted for each start."""
    ANY = "any"
    """While an instance starts or serves; may keep it from serving, and is counted for each request."""
    SERVING = "serving"
    """While an instance serves or does its job; counted for each request."""


class FailureClass(StrEnum):
    """The kind of failure, a closed list; every rule names one.

    A class is added by one line here, with its phase, and by its word in rules/README.md.
    """

    def __new__(cls, word: str, phase: Phase) -> Self:
        """Make a member of its word, with its phase beside it."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.phase = phase
        return member

    phase: Phase
    """When its failures happen; what they are counted for follows from it."""

    STARTUP_FAILURE = "startup_failure", Phase.START_UP
    IMPORT_ERROR = "import_error", Phase.START_UP
    SYNTAX_ERROR = "syntax_error", Phase.START_UP
    OOM = "oom", Phase.SERVING
    TIMEOUT = "timeout", Phase.SERVING
    NO_INSTANCE = "no_instance", Phase.SERVING
    MALFORMED_RESPONSE = "malformed_response", Phase.SERVING
    AUTH = "auth", Phase.SERVING
    UNHANDLED_EXCEPTION = "unhandled_exception", Phase.ANY
    DB_CONNECTION = "db_connection", Phase.ANY
    DEPENDENCY_API_ERROR = "dependency_api_error", Phase.SERVING
    PERMISSION_DENIED = "permission_denied", Phase.ANY
    CONFIG_MISSING = "config_missing", Phase.START_UP
    SERIALIZATION = "serialization", Phase.SERVING
    WEBSOCKET_CLOSE = "websocket_close", Phase.SERVING
    HTTP_ERROR = "http_error", Phase.SERVING
    DEPLOY_FAILURE = "deploy_failure", Phase.DEPLOY
    JOB_FAILURE = "job_failure", Phase.SERVING
    RESOURCE_LIMIT = "resource_limit", Phase.SERVING
    NOISE = "noise", Phase.SERVING
    OTHER = "other", Phase.SERVING

    @property
    def may_end_start(self) -> bool:
        """Whether a failure of this class can keep an instance from serving."""
        return self.phase in {Phase.START_UP, Phase.ANY}

    @property
    def is_of_start(self) -> bool:
        """Whether its failures are counted for each start of an instance, and not for each request."""
        return self.phase in {Phase.DEPLOY, Phase.START_UP}


class Verdict(StrEnum):
    """How far a why is shown."""

    SUPPORTED = "supported"
    """The thresholds are met and no rival meets them."""
    CONTESTED = "contested"
    """A rival meets them too."""
    PLAUSIBLE = "plausible"
    """Right order and key, but below the threshold."""
    REFUTED = "refuted"
    """Contradicted, and coverage is good enough to say so."""
    NO_EVIDENCE = "no evidence"
    """Nothing found, or coverage or exposure too small to tell."""
    NOT_OBSERVABLE = "not observable"
    """Needs a source that was not given."""

    @property
    def holds(self) -> bool:
        """True when a chain may go on behind a why of this verdict."""
        return self in {Verdict.SUPPORTED, Verdict.CONTESTED, Verdict.PLAUSIBLE}


class StatementKind(StrEnum):
    """What sort of sentence an answer is; templates cannot print one as another."""

    FACT = "fact"
    INFERENCE = "inference"
    HYPOTHESIS = "hypothesis"
    OPEN_QUESTION = "open question"


class ReadOrder(StrEnum):
    """How the entries of an input lay in time."""

    NEWEST_FIRST = "newest first"
    OLDEST_FIRST = "oldest first"
    UNSORTED = "unsorted"


class OccurrenceUnit(StrEnum):
    """What one occurrence is: the thing that failed once."""

    LIFE = "instance life"
    REQUEST = "request"
    SESSION = "session"
    BURST = "burst"
    """Entries of one instance less than a second apart; where neither a life's end nor a request tells."""
