"""What fails, and what explains what, as a report tells it."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field, to_builtins

from forensics.model.enums import ClusterId, FailureClass, Level, OccurrenceUnit, Priority, Role

CLUSTER_COLUMNS = (
    "id",
    "revision",
    "signature",
    "class",
    "title",
    "role",
    "priority",
    "level",
    "entries",
    "occurrences",
    "unit",
    "instances",
    "first_seen",
    "last_seen",
    "fingerprint",
    "exception_type",
    "exception_value",
    "file",
    "line",
    "function",
)
"""Columns of a table of clusters."""


class Cadence(Struct, frozen=True, kw_only=True):
    """Seconds from the start of one occurrence to the start of the next."""

    median: float
    shortest: float
    longest: float

    @property
    def is_regular(self) -> bool:
        """Whether the distances are much alike, so that the occurrences have a rhythm."""
        return self.longest <= 2 * self.median and self.shortest >= self.median / 2


class Lengths(Struct, frozen=True, kw_only=True):
    """How long something lasted, seconds, and how often that was measured."""

    count: int
    median: float
    shortest: float
    longest: float


class Raised(Struct, frozen=True, kw_only=True):
    """One exception of a chain and where in the application it passed."""

    type: str
    value: str
    """Its first line."""
    file: str
    line: int | None
    function: str


class Swap(Struct, frozen=True, kw_only=True):
    """An occurrence whose entries stand in another order than in most, so close that clocks may have done it."""

    occurrence: int
    microseconds: float


class Affected(Struct, frozen=True, kw_only=True):
    """Who was struck, as numbers; None where no field of the entries tells."""

    requests: int | None = None
    sessions: int | None = None
    users: int | None = None


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
    in_app: bool | None = None
    """False for a frame of a library, None in reports of versions that did not say."""


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
    entries_each: dict[str, int] = {}
    """Entries by severity in each occurrence, where all occurrences have the same; else empty."""
    life: Lengths | None = None
    """Instance lives in which it happened, start to exit; only those whose start and exit were recorded."""
    raised: tuple[Raised, ...] = ()
    """The chain of exceptions, first raised first."""
    raised_in: tuple[int, int] | None = None
    """In how many of how many occurrences that were compared the chain is the same."""
    out_of_order: tuple[Swap, ...] = ()

    affected: Affected = Affected()

    def row(self) -> dict[str, Any]:
        """Return the cluster as a row of a table: its figures, its exception and its frame, no lists."""
        exception, frame = self.exception, self.frame
        nested = {
            "exception_type": exception.type if exception else None,
            "exception_value": exception.value if exception else None,
            "file": frame.file if frame else None,
            "line": frame.line if frame else None,
            "function": frame.function if frame else None,
        }
        plain = to_builtins(self)
        return {name: nested[name] if name in nested else plain[name] for name in CLUSTER_COLUMNS}


class Thresholds(Struct, frozen=True, kw_only=True):
    """What a link must reach to support an answer; a rule may set others for a why."""

    coverage: float = 0.8
    """Share of occurrences, at least."""
    p_value: float = 0.05
    """At most, where chance can be tested."""
    lift: float = 2.0
    """At least, where chance can be tested: what always stands there may be near by luck, and is hardly nearer."""


DEFAULT_THRESHOLDS = Thresholds()


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
    """How many times more often the cause stands within its usual distance here than where the symptom is not."""
    p_value: float | None = None
    """How often chance brings the cause as near; None where that cannot be tested (`links/chance.py`)."""

    def meets(self, thresholds: Thresholds) -> bool:
        """Tell whether the thresholds are met; what cannot be tested must be of one trace or instance."""
        if self.coverage < thresholds.coverage:
            return False
        return self.by != "revision" if self.p_value is None else not self.is_chance(thresholds)

    def is_chance(self, thresholds: Thresholds) -> bool:
        """Tell whether the cause is as near as chance may bring it, or hardly more often than where nothing failed."""
        if self.p_value is None:
            return False
        return self.p_value > thresholds.p_value or (self.lift is not None and self.lift < thresholds.lift)
