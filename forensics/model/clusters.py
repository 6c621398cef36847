"""Clusters of failures and the links between them, as a report contains them."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field, to_builtins

from forensics.model.enums import ClientKind, ClusterId, FailureClass, JoinKey, Level, OccurrenceUnit, Priority, Role
from forensics.model.spread import Spread

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
"""The columns of a table of clusters."""


class Cadence(Struct, frozen=True, kw_only=True):
    """Seconds between the starts of consecutive occurrences."""

    median: float
    shortest: float
    longest: float
    is_loop: bool = False
    """Whether each occurrence ended an instance life in failure that had answered no request."""

    @property
    def is_regular(self) -> bool:
        """Whether the distances are much alike, so that the occurrences have a rhythm."""
        return self.longest <= 2 * self.median and self.shortest >= self.median / 2


class Lengths(Struct, frozen=True, kw_only=True):
    """Durations in seconds, and how many were measured."""

    count: int
    median: float
    shortest: float
    longest: float


class Raised(Struct, frozen=True, kw_only=True):
    """One exception of a chain, and the application's frame where it was raised or passed through."""

    type: str
    value: str
    """The first line of the exception's message."""
    file: str
    line: int | None
    function: str


class Swap(Struct, frozen=True, kw_only=True):
    """An occurrence whose entries are in an unusual order, close enough for clock differences to explain it."""

    occurrence: int
    microseconds: float


class FailedRoute(Struct, frozen=True, kw_only=True):
    """The failed requests of a cluster with the same method, route, status and client."""

    method: str
    route: str
    """The path, with `*` where it differs from request to request."""
    status: int | None
    client: str
    """The product in the user agent, without its version; "" when it names none."""
    kind: ClientKind
    requests: int
    of: int | None
    """The logged requests with the same method and route, whatever the client; None when there are too many."""


class RequestMinute(Struct, frozen=True, kw_only=True):
    """The requests of one minute with the same status and client."""

    minute: str
    status: int | None
    client: str
    """As in `FailedRoute`."""
    kind: ClientKind
    requests: int


class Traffic(Struct, frozen=True, kw_only=True):
    """When requests came and instances started, for pages that draw it."""

    minutes: tuple[RequestMinute, ...] = ()
    """By the minute in which a request began; empty for more than 5,000 requests."""
    starts: tuple[str, ...] = ()
    """Starts of instances that were logged."""


class Affected(Struct, frozen=True, kw_only=True):
    """How many requests, sessions and users were affected; None when no entry shows it."""

    requests: int | None = None
    sessions: int | None = None
    users: int | None = None
    test_users: int | None = None
    """The users among them whose names say that they are for tests."""
    naming: int | None = None
    """Occurrences in which an entry names a user."""
    routes: tuple[FailedRoute, ...] = ()
    """The requests that failed, the most frequent first."""


class EntryRef(Struct, frozen=True, kw_only=True):
    """A citation of a log entry, with all that is needed to find it again in Cloud Logging or in the export."""

    insert_id: str
    timestamp: str
    log_name: str
    level: Level
    severity: str | None
    message: str
    """The message, redacted and shortened."""
    url: str


class ExceptionRef(Struct, frozen=True, kw_only=True):
    """The first exception of a chain."""

    type: str
    value: str


class FrameRef(Struct, frozen=True, kw_only=True):
    """The innermost frame of the application."""

    file: str
    line: int | None
    function: str
    in_app: bool | None = None
    """False for a frame of a library, None in reports of older versions."""


class Cluster(Struct, frozen=True, kw_only=True):
    """The entries of one revision with the same signature and group key; without a rule, with the same fingerprint."""

    id: ClusterId
    revision: str
    signature: str | None
    signature_version: int | None
    group: tuple[str, ...]
    """The values of the rule's `group_by`, in its order; empty for a rule without one."""
    failure_class: FailureClass = field(name="class")
    title: str
    role: Role
    priority: Priority
    priority_reason: str
    level: Level
    entries: int
    """Number of original entries, counting each piece of a stitched entry."""
    entries_by_severity: dict[str, int]
    """Number of entries by severity as received; `(none)` for entries without a severity."""
    occurrences: int
    unit: OccurrenceUnit
    instances: int
    first_seen: str
    last_seen: str
    cadence: Cadence | None
    trend: tuple[int, ...]
    """Number of occurrences in each eighth of the covered time."""
    template: str
    fingerprint: str
    exception: ExceptionRef | None
    frame: FrameRef | None
    captures: dict[str, tuple[tuple[str, int], ...]]
    """For each capture its values with the number of occurrences, most frequent first."""
    also_matched: tuple[str, ...]
    exemplars: tuple[EntryRef, ...]
    entries_each: dict[str, int] = {}
    """Number of entries by severity in one occurrence, when it is the same in all; else empty."""
    life: Lengths | None = None
    """How long the affected instances lived; only lives with a recorded start and exit."""
    raised: tuple[Raised, ...] = ()
    """The chain of exceptions, in the order they were raised."""
    raised_in: tuple[int, int] | None = None
    """How many occurrences have this chain, and how many were compared."""
    out_of_order: tuple[Swap, ...] = ()

    affected: Affected = Affected()
    logged_at: FrameRef | None = None
    """Where the error was logged, by its logger's fields; for errors without a frame."""
    layers: tuple[str, ...] = ()
    """What other layers of the program logged of the same failure; their entries are counted here."""
    stack: str = ""
    """The whole stack of an exemplar, redacted; "" without one."""
    spread: Spread | None = None
    """None in reports of versions that did not note it."""

    def row(self) -> dict[str, Any]:
        """Return the cluster as a row of a table, without its lists: column → value."""
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
    """The thresholds a link must reach to support an answer; a rule may set its own for a why."""

    coverage: float = 0.8
    """Minimum share of occurrences."""
    p_value: float = 0.05
    """Maximum p-value, where it can be computed."""
    lift: float = 2.0
    """Minimum lift, where it can be computed: a cause that is always logged may be near by luck."""


DEFAULT_THRESHOLDS = Thresholds()
FEWEST = 3
"""Occurrences below which nothing is shown of a link: no p-value, no lift, at most plausible."""
FEWEST_CONTROLS = 20
"""With fewer, a lift of three is measured as anything from one to ten, so that nothing is."""
BY_CHANCE_P = 0.2
BY_CHANCE_LIFT = 1.2
"""A p-value above, or a lift below: near by chance."""
ORDERED_P = 0.02
"""At most, for a cause that its symptom follows at one lag."""
ORDERED_SHARE = 0.3
"""At least: of the onsets that chance leaves over, the share at that lag."""


class Link(Struct, frozen=True, kw_only=True):
    """A causal link between two clusters, with its strength."""

    symptom: ClusterId
    cause: ClusterId
    by: JoinKey
    declared: bool
    """True when a rule declares that the cause explains the symptom; False for a link by order and place alone."""
    explained: int
    """Number of the symptom's occurrences with the cause in the window."""
    of: int
    causes: int
    """Number of the cause's occurrences that explain at least one."""
    within: float
    """The window in seconds."""
    lag: tuple[float, float] | None
    """Shortest and longest time from the cause to the symptom's end, seconds; negative: the cause came later."""
    coverage: float
    lift: float | None = None
    """How many times more often the cause is this near to the symptom than it is to controls without the symptom."""
    p_value: float | None = None
    """Probability that chance puts the cause this near; None when it cannot be tested (`links/chance.py`)."""
    order_p: float | None = None
    """Probability that chance puts as many onsets at one lag behind the cause; None when it was not tested."""
    in_step: float | None = None
    """Share of onsets at that lag, of those that chance does not put there (`links/order.py`)."""
    by_clock: float | None = None
    """The same probability for moves by whole periods; None unless cause and symptom both keep a period."""
    given_away: int = 0
    """Occurrences that are not among `of`: another error stands in the trace of each, and this cause does not."""
    rivals: tuple[ClusterId, ...] = ()
    """Other causes that explain the same occurrences by the same thresholds and are not merely behind this one."""
    behind: tuple[ClusterId, ...] = ()
    """Those of the causes of the same occurrences that stand before this one."""
    of_others: int = 0
    """Explained occurrences whose cause stands in the trace of another request, and not in their own."""

    controls: int | None = None
    """Where only windows of the log were pulled: the requests that went well with which it was compared."""

    def meets(self, thresholds: Thresholds) -> bool:
        """Tell whether a link supports an answer.

        That takes coverage, three occurrences, more than chance, and the same trace or one lag; and a cause that does
        not stand in the traces of other requests.
        """
        if self.coverage < thresholds.coverage or self.of < FEWEST or self.is_chance(thresholds):
            return False
        if self.of_others * 2 > self.explained:
            return False
        if self.controls is not None and self.p_value is None:  # what lies between the windows may hold anything
            return False
        return self.by is JoinKey.TRACE or self.keeps_order

    @property
    def keeps_order(self) -> bool:
        """Tell whether the symptom follows the cause at one lag, and not only by the clock."""
        if self.order_p is None or self.in_step is None:
            return False
        is_ordered = self.order_p <= ORDERED_P and self.in_step >= ORDERED_SHARE
        return is_ordered and (self.by_clock is None or self.by_clock <= ORDERED_P)

    @property
    def lacks_order(self) -> bool:
        """Tell whether order was tested, and the symptom follows the cause at no lag of its own."""
        return self.order_p is not None and not self.keeps_order

    @property
    def is_near_by_chance(self) -> bool:
        """Tell whether the cause is hardly nearer than anything else: no evidence, whatever the coverage."""
        if self.p_value is None:
            return False
        return self.p_value > BY_CHANCE_P or (self.lift is not None and self.lift < BY_CHANCE_LIFT)

    def is_chance(self, thresholds: Thresholds) -> bool:
        """Tell whether chance may explain the nearness of the cause: the p-value is too high or the lift too low."""
        if self.p_value is None:
            return False
        return self.p_value > thresholds.p_value or (self.lift is not None and self.lift < thresholds.lift)
