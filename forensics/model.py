"""The nouns: every record that passes between stages.

Records up to `Coverage` travel inside one run; the records from `Cluster` on make up `Report`, which is plain data,
round-trips through JSON and is described in `docs/report.md`. Times inside a run are integers, nanoseconds since
1970-01-01T00:00:00Z; times in a report are RFC 3339 strings in UTC with the precision that was received.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NewType

from msgspec import Struct, field

REPORT_SCHEMA = "forensics.report/1"
SIGNATURE_METHOD = "2026-11"
"""Version of masking and grouping. Fingerprints made by two versions must not be compared."""

Nanoseconds = NewType("Nanoseconds", int)
ClusterId = NewType("ClusterId", str)


# ── words ────────────────────────────────────────────────────────────────────────────────────────────────────────────


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


class FailureClass(StrEnum):
    """The kind of failure, a closed list; every rule names one."""

    STARTUP_FAILURE = "startup_failure"
    IMPORT_ERROR = "import_error"
    SYNTAX_ERROR = "syntax_error"
    OOM = "oom"
    TIMEOUT = "timeout"
    NO_INSTANCE = "no_instance"
    MALFORMED_RESPONSE = "malformed_response"
    AUTH = "auth"
    UNHANDLED_EXCEPTION = "unhandled_exception"
    DB_CONNECTION = "db_connection"
    DEPENDENCY_API_ERROR = "dependency_api_error"
    PERMISSION_DENIED = "permission_denied"
    CONFIG_MISSING = "config_missing"
    SERIALIZATION = "serialization"
    WEBSOCKET_CLOSE = "websocket_close"
    HTTP_ERROR = "http_error"
    DEPLOY_FAILURE = "deploy_failure"
    JOB_FAILURE = "job_failure"
    RESOURCE_LIMIT = "resource_limit"
    NOISE = "noise"
    OTHER = "other"


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


# ── what was asked, what was read ────────────────────────────────────────────────────────────────────────────────────


class Query(Struct, frozen=True, kw_only=True):
    """What was asked for."""

    revision: str
    """A full name, a prefix at a word boundary, a number, `latest` or `all`."""
    service: str | None = None
    project: str | None = None
    region: str | None = None
    from_time: str | None = field(default=None, name="from")
    """RFC 3339 UTC, inclusive."""
    to_time: str | None = field(default=None, name="to")
    """RFC 3339 UTC, exclusive."""
    level: Level = Level.ERROR
    """Entries of this level or above are analysed even when no rule knows them."""
    logs: tuple[str, ...] = ()
    """The paths as they were given; `-` is standard input."""


class Place(Struct, frozen=True, kw_only=True):
    """Where a record was found."""

    source: str
    """A path as it was given, or `-`."""
    record: int
    """The line, or the number of the element where there are no lines; from 1."""

    def __str__(self) -> str:
        return f"{self.source}:{self.record}"


class RawEntry(Struct, frozen=True, kw_only=True):
    """One Cloud Logging record as it came, keys spelled as in the API (`insertId`, `logName`, …)."""

    record: dict[str, Any]
    place: Place


class Unreadable(Struct, frozen=True, kw_only=True):
    """Something in an input that is no log entry. It is counted; it stops nothing."""

    place: Place
    reason: str


class PassedOver(Struct, frozen=True, kw_only=True):
    """Lines of an input that were counted and not parsed, because they cannot speak of the revision asked for."""

    place: Place
    """The last of them."""
    lines: int


class Intake(Struct, frozen=True, kw_only=True):
    """Everything that was read, once: sorted by (time, insertId, logName), without duplicates."""

    entries: tuple[RawEntry, ...]
    read: int
    """Records read, duplicates included."""
    passed_over: int
    """Lines that were counted only."""
    duplicates: int
    unreadable: int
    first_unreadable: Unreadable | None
    order: ReadOrder
    sources: tuple[str, ...]
    """Inputs in the order they were read, those without an entry too."""


class RevisionSpan(Struct, frozen=True, kw_only=True):
    """One revision as the entries show it."""

    name: str
    service: str
    project: str
    location: str
    entries: int
    first: Nanoseconds
    last: Nanoseconds


class Revision(Struct, frozen=True, kw_only=True):
    """The revision that was analysed; `name` is `all` when every entry was."""

    name: str
    asked: str
    service: str = ""
    project: str = ""
    location: str = ""


# ── entries ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class Frame(Struct, frozen=True, kw_only=True):
    """One frame of a traceback."""

    file: str
    line: int | None
    function: str
    in_app: bool
    """False for the standard library, installed packages and the runtime."""


class ExceptionInfo(Struct, frozen=True, kw_only=True):
    """One exception of a chain."""

    type: str
    """As printed, module included: `pymysql.err.OperationalError`."""
    value: str
    frames: tuple[Frame, ...] = ()
    """In call order: the last one raised."""


class Close(Struct, frozen=True, kw_only=True):
    """A WebSocket close that a message tells of (RFC 6455, section 7.4)."""

    code: int
    reason: str


class HttpRequest(Struct, frozen=True, kw_only=True):
    """The parts of `httpRequest` that analysis needs, numbers as numbers."""

    method: str
    url: str
    path: str
    """Without scheme, host, query and fragment: those may hold secrets."""
    status: int | None
    latency: Nanoseconds | None
    user_agent: str = ""


class LogEntry(Struct, frozen=True, kw_only=True):
    """One log entry, decoded. Field names are Cloud Logging's, in snake_case."""

    insert_id: str
    """With `timestamp` and `log_name`, the entry's identity; evidence cites it."""
    timestamp: str
    """As received, with up to nine fractional digits."""
    time: Nanoseconds
    """`timestamp` as nanoseconds; 0 when the entry has none."""
    log_name: str
    stream: str
    """`requests`, `stdout`, `stderr`, `system`, `activity`, `system_event`, … or "" when unknown."""
    severity: str | None
    """As received; None when the entry has none."""
    level: Level
    """The effective severity: `severity`, or, where absent or DEFAULT, what the text or payload states."""
    message: str
    """What the entry says, stitched and without decoration (ANSI, emoji, logger prefixes)."""
    revision: str
    """From the resource, or from what an audit entry speaks of; "" when neither tells."""
    service: str
    instance: str
    """`labels.instanceId`, "" when unknown."""
    trace: str
    raw: dict[str, Any]
    """The record as received; rule fields such as `jsonPayload.x` read it."""
    has_payload: bool
    """False when text, JSON, proto payload and httpRequest are all absent or empty."""
    http: HttpRequest | None = None
    exceptions: tuple[ExceptionInfo, ...] = ()
    """A chain in the order raised: the first is where it began."""
    close: Close | None = None
    pieces: tuple[LogEntry, ...] = ()
    """For a stitched entry: every original entry, itself included, in order. Else empty."""

    @property
    def end(self) -> Nanoseconds:
        """When it was over: for a request its start plus its latency, else `time`."""
        if self.http is None or self.http.latency is None:
            return self.time
        return Nanoseconds(self.time + self.http.latency)

    @property
    def originals(self) -> tuple[LogEntry, ...]:
        """The entries as they were in the log: the pieces, or the entry itself."""
        return self.pieces or (self,)

    @property
    def sort_key(self) -> tuple[int, str, str]:
        """Total order of entries."""
        return (self.time, self.insert_id, self.log_name)


# ── rules ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Leaf(Struct, frozen=True, kw_only=True, tag="leaf"):
    """`field: {op: value}`. False when the field is missing."""

    path: str
    op: str
    """regex, contains, word, equals, in, at_least, at_most or exists."""
    value: Any
    cased: bool = False


class AllOf(Struct, frozen=True, kw_only=True, tag="all"):
    """True when every condition is."""

    conditions: tuple[Condition, ...]


class AnyOf(Struct, frozen=True, kw_only=True, tag="any"):
    """True when one condition is."""

    conditions: tuple[Condition, ...]


class NoneOf(Struct, frozen=True, kw_only=True, tag="not"):
    """True when no condition is; plain negation, a missing field included."""

    conditions: tuple[Condition, ...]


Condition = Leaf | AllOf | AnyOf | NoneOf


class Explains(Struct, frozen=True, kw_only=True):
    """A symptom that a rule's signature can bring about."""

    signature: str
    within: Nanoseconds
    """How long before the symptom's end the cause may lie."""


class WhyRule(Struct, frozen=True, kw_only=True):
    """One question of a rule's chain."""

    ask: str
    evidence_kind: str
    """The name of a module in `whys/evidence/`."""
    evidence: Any
    """Its argument, checked when the rule is loaded."""
    condition: Condition | None = None
    """The `match` inside `entries` evidence, compiled with the rule."""
    answer: str | None = None
    otherwise: str | None = None


class ActionRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something to do about a signature."""

    kind: str
    """mitigate, detect or prevent."""
    text: str
    verify: dict[str, Any] | None = None
    """What shows that it worked, e.g. `{count: 0}`."""
    priority: Priority | None = None


class RuleTests(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Entries in Cloud Logging's own shape that a rule claims, and near misses that it does not."""

    match: tuple[dict[str, Any], ...]
    no_match: tuple[dict[str, Any], ...]


class Rule(Struct, frozen=True, kw_only=True):
    """One rule file: a whole cause."""

    id: str
    version: int
    title: str
    failure_class: FailureClass
    role: Role
    priority: Priority
    condition: Condition
    tests: RuleTests
    headline: str | None = None
    """Template of the one-line finding; the title where absent."""
    group_by: tuple[str, ...] = ()
    """Captures and fields whose values split the signature into clusters."""
    occurs_per: OccurrenceUnit | None = None
    """What one occurrence is; found from the entries where absent."""
    supersedes: tuple[str, ...] = ()
    explains: tuple[Explains, ...] = ()
    rivals: tuple[str, ...] = ()
    whys: tuple[WhyRule, ...] = ()
    actions: tuple[ActionRule, ...] = ()
    references: tuple[str, ...] = ()
    source: str = ""
    """Where the file lies, for messages."""


class Match(Struct, frozen=True, kw_only=True):
    """A rule that an entry satisfied, and by what."""

    rule: str
    captures: dict[str, str]
    """Named groups of the patterns that matched."""
    matched_on: tuple[str, ...]
    """The leaves that were true, e.g. `message contains 'exit('`."""


class Classified(Struct, frozen=True, kw_only=True):
    """An entry and the rules that claim it."""

    entry: LogEntry
    primary: Match | None
    also: tuple[Match, ...] = ()


# ── clusters inside a run ────────────────────────────────────────────────────────────────────────────────────────────


class Life(Struct, frozen=True, kw_only=True):
    """One life of an instance: from its first entry, or the exit before, to its exit or its last entry."""

    instance: str
    number: int
    """From 1, within the instance."""
    revision: str
    start: Nanoseconds
    end: Nanoseconds
    ended: bool
    """True when an exit was logged. Otherwise the entries merely stop."""
    started: bool
    """True when the start was logged ("Starting new instance", a probe, a server's first words)."""
    exit: LogEntry | None = None


class Occurrence(Struct, frozen=True, kw_only=True):
    """One time it happened."""

    id: str
    """Unique within its cluster: `1`, `2`, … in order of time."""
    unit: OccurrenceUnit
    start: Nanoseconds
    end: Nanoseconds
    """For requests the end of the request: links are joined on it."""
    instance: str
    trace: str
    entries: tuple[LogEntry, ...]


class Members(Struct, frozen=True, kw_only=True):
    """The entries of one cluster, which a report counts and does not hold."""

    cluster: ClusterId
    classified: tuple[Classified, ...]
    occurrences: tuple[Occurrence, ...]


# ── the report ───────────────────────────────────────────────────────────────────────────────────────────────────────


class Span(Struct, frozen=True, kw_only=True):
    """From – to, RFC 3339; None where open or unknown."""

    from_time: str | None = field(default=None, name="from")
    to_time: str | None = field(default=None, name="to")


class Gap(Struct, frozen=True, kw_only=True):
    """A time without any entry that is long beside the usual distance between entries."""

    from_time: str = field(name="from")
    to_time: str = field(name="to")
    seconds: float


class Coverage(Struct, frozen=True, kw_only=True):
    """What was really read, and what was cut, missing or unreadable."""

    entries_read: int
    """Entries parsed, and lines passed over."""
    passed_over: int
    """Lines that do not name the revision and were counted only: neither validated nor checked for duplicates."""
    entries_selected: int
    """Entries of the revision."""
    duplicates: int
    errors: int
    """Selected entries of level ERROR or above."""
    analysed: int
    """Selected entries that are errors, matched by a rule, or a piece of one of these."""
    unreadable: int
    first_unreadable: str | None
    no_severity: int
    no_payload: int
    unclassified: int
    """Analysed entries that no rule claims."""
    asked: Span
    covered: Span
    covered_seconds: float | None
    order: ReadOrder
    truncated: bool | None
    """True: something was cut. None: it looks cut, which only who pulled the logs can tell. False: no sign of it."""
    truncation: str | None
    """Why it looks cut."""
    gaps: tuple[Gap, ...]
    logs: dict[str, int]
    """Entries by stream. The streams that Cloud Run writes are always listed, with 0 where absent."""
    levels: dict[str, int]
    warnings: tuple[str, ...]
    """Sentences for a reader: what cannot be told from these entries, and why."""


class Cadence(Struct, frozen=True, kw_only=True):
    """Seconds from the start of one occurrence to the start of the next."""

    median: float
    shortest: float
    longest: float


class EntryRef(Struct, frozen=True, kw_only=True):
    """A citation: enough to find the entry again in Cloud Logging or in the export."""

    insert_id: str
    timestamp: str
    log_name: str
    level: Level
    severity: str | None
    message: str
    """Redacted, shortened."""
    url: str


class ExceptionRef(Struct, frozen=True, kw_only=True):
    """The exception where a chain began."""

    type: str
    value: str


class FrameRef(Struct, frozen=True, kw_only=True):
    """The innermost frame of the application."""

    file: str
    line: int | None
    function: str


class Cluster(Struct, frozen=True, kw_only=True):
    """The entries of one revision with one signature and group key; without a signature, with one fingerprint."""

    id: ClusterId
    revision: str
    signature: str | None
    signature_version: int | None
    group: tuple[str, ...]
    """The values of the rule's `group_by`, in its order; empty where the rule does not split."""
    failure_class: FailureClass = field(name="class")
    title: str
    role: Role
    priority: Priority
    priority_reason: str
    level: Level
    entries: int
    """Original entries, the pieces of stitched ones included."""
    entries_by_severity: dict[str, int]
    """As received; `(none)` counts entries without a severity."""
    occurrences: int
    unit: OccurrenceUnit
    instances: int
    first_seen: str
    last_seen: str
    cadence: Cadence | None
    trend: tuple[int, ...]
    """Occurrences in eight equal parts of the covered time."""
    template: str
    fingerprint: str
    exception: ExceptionRef | None
    frame: FrameRef | None
    captures: dict[str, tuple[tuple[str, int], ...]]
    """Values with the number of occurrences, most frequent first."""
    also_matched: tuple[str, ...]
    exemplars: tuple[EntryRef, ...]


class Link(Struct, frozen=True, kw_only=True):
    """Symptom ← cause, with its strength."""

    symptom: ClusterId
    cause: ClusterId
    by: str
    """trace, instance or revision: what joins them."""
    declared: bool
    """True when a rule says that the one explains the other; False when only order and place do."""
    explained: int
    """Occurrences of the symptom with the cause in the window."""
    of: int
    causes: int
    """Occurrences of the cause that explain at least one."""
    within: float
    """The window, seconds."""
    lag: tuple[float, float] | None
    """Shortest and longest time from the cause to the symptom's end, seconds; negative: the cause was logged after."""
    coverage: float
    lift: float | None = None
    p_value: float | None = None


class Evidence(Struct, frozen=True, kw_only=True):
    """What shows a why: a statement, its counts and its citations."""

    kind: str
    statement: str
    count: int | None = None
    of: int | None = None
    refs: tuple[EntryRef, ...] = ()
    values: dict[str, str] = {}


class Why(Struct, frozen=True, kw_only=True):
    """One step of the five whys."""

    ask: str
    answer: str | None
    kind: StatementKind
    verdict: Verdict
    evidence: tuple[Evidence, ...]
    next_step: str | None = None


class Root(Struct, frozen=True, kw_only=True):
    """The last why of a chain that is at least plausible."""

    why: int
    """Its number, from 1."""
    statement: str
    verdict: Verdict


class Rival(Struct, frozen=True, kw_only=True):
    """Another explanation that was looked for."""

    signature: str
    title: str
    entries: int
    statement: str


class Action(Struct, frozen=True, kw_only=True):
    """Something to do, and what shows that it is done."""

    kind: str
    priority: Priority
    text: str
    owner: str
    done_when: str


class Finding(Struct, frozen=True, kw_only=True):
    """A cluster explained."""

    cluster: ClusterId
    headline: str
    whys: tuple[Why, ...]
    root: Root | None
    confidence: Verdict
    """That of the weakest link of the chain."""
    chain: tuple[str, ...]
    """The error behind the error, cause first, in a few words each."""
    rivals: tuple[Rival, ...]
    actions: tuple[Action, ...]
    references: tuple[str, ...] = ()


class Incident(Struct, frozen=True, kw_only=True):
    """Clusters that share one root, in order of cause."""

    id: str
    title: str
    root_cluster: ClusterId
    clusters: tuple[ClusterId, ...]
    onset: str
    end: str
    occurrences: int
    priority: Priority
    verdict: Verdict


class RootCause(Struct, frozen=True, kw_only=True):
    """One line of the ranking: what to look at first."""

    rank: int
    when: str
    component: str
    reason: str
    signature: str | None
    cluster: ClusterId
    verdict: Verdict


class TimelineEvent(Struct, frozen=True, kw_only=True):
    """Something that happened, with the entries that say so."""

    time: str
    kind: str
    """deploy, start, onset, exit, request, last, …"""
    text: str
    refs: tuple[str, ...]
    """insertIds."""


class Deploy(Struct, frozen=True, kw_only=True):
    """A deployment that the audit log tells of."""

    time: str
    revision: str
    outcome: str
    """asked, ready or failed."""
    image: str
    by: str
    """Redacted unless asked for."""
    message: str
    insert_id: str


class TestFailure(Struct, frozen=True, kw_only=True):
    """A test that failed, tied to the cluster whose words it repeats."""

    name: str
    message: str
    close_code: int | None
    cluster: ClusterId | None


class TestRun(Struct, frozen=True, kw_only=True):
    """Results of test runs, as JUnit files hold them."""

    suites: tuple[TestSuite, ...]
    total: int
    passed: int
    failed: int
    errors: int
    skipped: int
    not_run: int
    """Counted as passed by their writer, with a duration of 0.000 s."""
    failures: tuple[TestFailure, ...]


class TestSuite(Struct, frozen=True, kw_only=True):
    """One test module."""

    name: str
    total: int
    passed: int
    failed: int
    errors: int
    skipped: int
    not_run: int
    seconds: float


class Report(Struct, frozen=True, kw_only=True):
    """All that is known about a revision; documents are made from it alone."""

    schema: str = REPORT_SCHEMA
    tool_version: str
    signature_method: str = SIGNATURE_METHOD
    query: Query
    revision: Revision
    coverage: Coverage
    headline: str
    """The first sentence a reader sees."""
    clusters: tuple[Cluster, ...]
    links: tuple[Link, ...]
    findings: tuple[Finding, ...]
    incidents: tuple[Incident, ...]
    root_causes: tuple[RootCause, ...]
    timeline: tuple[TimelineEvent, ...]
    deploys: tuple[Deploy, ...]
    rules: RulebookInfo
    comparison: dict[str, Any] | None = None
    tests: TestRun | None = None
    impact: dict[str, Any] | None = None
    claims: tuple[dict[str, Any], ...] | None = None


class RulebookInfo(Struct, frozen=True, kw_only=True):
    """Which rules were used."""

    count: int
    folders: tuple[str, ...]
    overridden: tuple[str, ...]
    """Shipped ids that a user's folder replaced."""


class EntryRow(Struct, frozen=True, kw_only=True):
    """One line of `entries.csv`: an original entry that is an error, matched, or a piece of such a one."""

    timestamp: str
    insert_id: str
    level: Level
    severity: str
    stream: str
    revision: str
    instance: str
    signature: str
    cluster: str
    occurrence: str
    message: str
    """First line, redacted."""


class Analysis(Struct, frozen=True, kw_only=True):
    """A report and the table of entries behind it, which is too large to sit inside."""

    report: Report
    rows: tuple[EntryRow, ...]
