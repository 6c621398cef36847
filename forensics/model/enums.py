"""Closed lists of words: levels, roles, priorities, failure classes, verdicts and the like."""

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
    """The role of a signature in a causal chain; the first is the most specific."""

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
    """The class of a failure; every rule names one.

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
    """How well the evidence supports a why."""

    SUPPORTED = "supported"
    """The thresholds are met and no rival meets them."""
    CONTESTED = "contested"
    """The thresholds are met, and a rival meets them too."""
    PLAUSIBLE = "plausible"
    """Order and join key are right, but a threshold is not met."""
    REFUTED = "refuted"
    """Contradicted, with enough coverage to conclude that."""
    NO_EVIDENCE = "no evidence"
    """Nothing was found, or coverage or exposure is too small to decide."""
    NOT_OBSERVABLE = "not observable"
    """A source of evidence is missing."""

    @property
    def holds(self) -> bool:
        """True when the chain of whys may continue after this verdict."""
        return self in {Verdict.SUPPORTED, Verdict.CONTESTED, Verdict.PLAUSIBLE}


class StatementKind(StrEnum):
    """The kind of statement that an answer is; templates print each in its own way."""

    FACT = "fact"
    INFERENCE = "inference"
    HYPOTHESIS = "hypothesis"
    OPEN_QUESTION = "open question"


class ReadOrder(StrEnum):
    """The order in time of an input's entries."""

    NEWEST_FIRST = "newest first"
    OLDEST_FIRST = "oldest first"
    UNSORTED = "unsorted"


class OccurrenceUnit(StrEnum):
    """What one occurrence is: the thing that failed."""

    LIFE = "instance life"
    REQUEST = "request"
    SESSION = "session"
    BURST = "burst"
    """Entries of one instance less than a second apart, when they belong to no exit and no request."""


class ClientKind(StrEnum):
    """Who sent a request, by its user agent."""

    BROWSER = "browser"
    HEALTH_CHECKER = "health checker"
    SCHEDULER = "Cloud Scheduler"
    PUBSUB = "Pub/Sub"
    TASKS = "Cloud Tasks"
    TEST_TOOL = "test tool"
    """A tool for tests or for the command line, or a name that says that it is one."""
    PROGRAM = "program"
    UNNAMED = "unnamed client"


class JoinKey(StrEnum):
    """What a symptom and its cause have in common; the closest first."""

    TRACE = "trace"
    INSTANCE = "instance"
    REVISION = "revision"


class CutBy(StrEnum):
    """What the entries look cut by. Entries that are cut in time alone, or a sample, still give rates."""

    SEVERITY = "severity"
    LIMIT = "limit"
    TIME = "time"
    SAMPLE = "sample"


class PullPart(StrEnum):
    """What one listing of a pull asked Cloud Logging for."""

    EVERYTHING = "everything"
    ERRORS = "errors"
    NEIGHBOURHOOD = "neighbourhood"
    """Entries of every level around the errors."""
    FIRST_ENTRIES = "first entries"
    PLATFORM = "platform"
    """Audit and system entries of the service."""
    REQUESTS = "requests"
    REFUSED_REQUESTS = "refused requests"
    SAMPLED_REQUESTS = "sampled requests"
    CONTROLS = "controls"
    """Entries of every level around requests that went well, drawn from all."""
    LATE_ENTRIES = "late entries"
    """Entries that arrived after an earlier pull of their time."""


class DeployOutcome(StrEnum):
    """What an audit entry says about a deployment."""

    ASKED = "asked"
    READY = "ready"
    FAILED = "failed"


class Principal(StrEnum):
    """The kind of principal that deployed; never a name."""

    PERSON = "a person"
    SERVICE_ACCOUNT = "a service account"
    CLOUD_RUN = "Cloud Run"
    UNKNOWN = ""


class DeployTarget(StrEnum):
    """What was deployed, or was found ready or not."""

    SERVICE = "Service"
    REVISION = "Revision"
    UNKNOWN = ""


class TimelineKind(StrEnum):
    """What happened at one time of the timeline."""

    DEPLOY = "deploy"
    ONSET = "onset"
    """The first entry of an incident."""
    FIRST_EXIT = "first exit"
    LAST_EXIT = "last exit"
    LAST = "last"
    """The last entry of an incident."""
    TESTS = "tests"
    """A run of tests began or ended."""
    ANSWERED = "answered"
    """The first request that was answered after an incident."""


class CommitSource(StrEnum):
    """How the commit of a revision was found."""

    GIVEN = "given"
    LABEL = "label"
    IMAGE = "image"
    DEPLOY_TIME = "time of the deploy"
    FIRST_ENTRY_TIME = "time of the first entry"
    NONE = "none"


class IgnoreReader(StrEnum):
    """The program that reads an ignore file."""

    GIT = "git"
    DOCKER = "docker"
    GCLOUD = "gcloud"


class RunOutcome(StrEnum):
    """What became of a test; the worst first."""

    FAILED = "failed"
    ERRORS = "errors"
    NOT_RUN = "not_run"
    """Counted as passed by its writer, with a duration of 0.000 s."""
    SKIPPED = "skipped"
    PASSED = "passed"


class FailureTie(StrEnum):
    """What ties a failed test to its cluster."""

    MESSAGE = "message"
    CLOSE_REASON = "close reason"
    TIME = "time"


class ActionKind(StrEnum):
    """What an action is for."""

    MITIGATE = "mitigate"
    DETECT = "detect"
    PREVENT = "prevent"


class LeafOp(StrEnum):
    """How a condition compares a field with a value."""

    REGEX = "regex"
    CONTAINS = "contains"
    WORD = "word"
    EQUALS = "equals"
    IN = "in"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    EXISTS = "exists"
