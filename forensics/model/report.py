"""The records of `report.json`, described in `docs/report.md`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct, field

from forensics.model.reading import Query, Revision
from forensics.model.words import (
    ClusterId,
    FailureClass,
    Level,
    OccurrenceUnit,
    Priority,
    ReadOrder,
    Role,
    StatementKind,
    Verdict,
)

REPORT_SCHEMA = "forensics.report/1"
SIGNATURE_METHOD = "2026-11"
"""Version of masking and grouping. Fingerprints made by two versions must not be compared."""


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
    case: CaseRef | None = None


class CaseRef(Struct, frozen=True, kw_only=True):
    """The case that a report was made from."""

    folder: str
    sha256: str
    """Of its manifest, which holds the hashes of all entries."""


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
    rows: Iterator[EntryRow]
    """Made while they are taken, so that they are never all in memory; to be taken once."""
