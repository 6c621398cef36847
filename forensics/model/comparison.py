"""The comparison of two revisions: the exposure of each, and the change of each signature and test."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from msgspec import Struct, to_builtins

from forensics.model.coverage import Span
from forensics.model.enums import ClusterId, OccurrenceUnit, Priority, Role

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd


class ExposureKind(StrEnum):
    """The measure by which a number of occurrences is turned into a rate."""

    REQUESTS = "requests"
    SESSIONS = "WebSocket sessions"
    STARTS = "instance starts"
    LIVES = "instance lives"


_ONE = {
    ExposureKind.REQUESTS: "request",
    ExposureKind.SESSIONS: "WebSocket session",
    ExposureKind.STARTS: "instance start",
    ExposureKind.LIVES: "instance life",
}


class ChangeState(StrEnum):
    """How a signature changed between two revisions; the worst first."""

    NEW = "new"
    WORSE = "worse"
    NOT_COMPARABLE = "not comparable"
    UNCLEAR = "unclear"
    """No change is shown, and one to double or half would not have shown either."""
    NO_CHANGE = "no detectable change"
    BETTER = "better"
    GONE = "gone"
    """Not seen now, with enough exposure to show the old rate. Only this may be called resolved."""


class Exposure(Struct, frozen=True, kw_only=True):
    """How often a revision could have failed, counted in its own entries; None when the log for a count is absent."""

    requests: int | None = None
    """Number of requests in the request log; an estimate when they were sampled."""
    requests_margin: int = 0
    """Margin of the estimate at 95 % confidence; 0 when requests were not sampled."""
    sessions: int | None = None
    """WebSocket handshakes: requests answered 101, and failed requests on the same paths."""
    starts: int | None = None
    """Instance lives with a recorded start."""
    lives: int | None = None
    """Instance lives with any entry."""
    failed: int = 0
    """Requests of level WARNING or above, such as those answered 4xx or 5xx."""
    probes: int = 0
    """Requests that are health checks."""
    refused: int = 0
    """Requests answered 4xx on routes that were never answered otherwise: scanners."""
    retries: int = 0
    """Requests sent again after a failure, with the same trace or by the same client within seconds."""
    routes: dict[str, int] = {}
    """Route number → its requests, without retries; health checks of a route have a number of their own."""
    instances: tuple[int, ...] = ()
    """Requests of each instance, without health checks; `spread` numbers the instances in this order."""

    @property
    def traffic(self) -> int | None:
        """The number of requests without health checks."""
        return None if self.requests is None else max(0, self.requests - self.probes)

    def requests_of(self, routes: Iterable[int]) -> int | None:
        """Return the requests of these routes; without any, all but those of scanners and health checks."""
        if self.requests is None:
            return None
        if self.routes and (wanted := set(routes)):
            return sum(self.routes.get(str(route), 0) for route in wanted)
        return max(0, self.requests - self.probes - self.refused - self.retries)

    def of(self, measure: ExposureKind) -> int | None:
        """Return the exposure by one measure."""
        return {
            ExposureKind.REQUESTS: self.requests,
            ExposureKind.SESSIONS: self.sessions,
            ExposureKind.STARTS: self.starts,
            ExposureKind.LIVES: self.lives,
        }[measure]


class Needed(Struct, frozen=True, kw_only=True):
    """How much traffic without an occurrence it takes to call a failure gone."""

    measure: ExposureKind
    exposure: int | None
    """None when the rate is unknown because the log for the measure is absent."""

    def sentence(self, name: str = "") -> str:
        """Return the requirement as a sentence about a failure; without `name`, about one named before."""
        none = f"none of {name} is seen" if name else "none is seen"
        if self.exposure is None:
            return f"{none} in traffic that is counted (these entries count no {self.measure})"
        return f"{none} in at least {self.exposure:,} {_ONE[self.measure] if self.exposure == 1 else self.measure}"


class Change(Struct, frozen=True, kw_only=True):
    """The change of one signature (without a rule, of one fingerprint), its clusters added up."""

    signature: str | None
    fingerprint: str | None
    """None for a signature."""
    title: str
    role: Role
    priority: Priority
    state: ChangeState
    before: int
    """Number of occurrences in the baseline."""
    after: int
    entries_before: int
    entries_after: int
    unit: OccurrenceUnit
    """The unit of the occurrences."""
    measure: ExposureKind
    measure_reason: str
    """Why this measure was chosen."""
    exposure_before: int | None
    exposure_after: int | None
    ratio: float | None = None
    """New rate divided by old rate; None when the old one is zero or the two cannot be compared."""
    ci_low: float | None = None
    """Lower end of the 95 % interval of the ratio, which is as wide as bursts make it."""
    ci_high: float | None = None
    """Upper end; None beside a `ci_low` means that there is no upper bound."""
    p_value: float | None = None
    """Two-sided p-value of this signature alone."""
    p_corrected: float | None = None
    """The p-value corrected over all incidents of the comparison (Holm); it decides the state."""
    episodes_before: int | None = None
    """Number of times that failures came, together or alone; None when that is not known."""
    episodes_after: int | None = None
    episodes_needed: int | None = None
    """Where one side shows none: the number of episodes on the other one that would decide."""
    statement: str
    clusters: tuple[ClusterId, ...]
    """Clusters in the compared revision; empty when it is not seen there."""


class TestChange(Struct, frozen=True, kw_only=True):
    """The change in how many tests passed of those that ran."""

    name: str
    state: ChangeState
    passed_before: int
    ran_before: int
    passed_after: int
    ran_after: int
    p_value: float | None
    """Fisher's exact test, two-sided; None when one side ran no test."""
    p_corrected: float | None
    """Corrected over all modules (Holm)."""
    statement: str


class TestComparison(Struct, frozen=True, kw_only=True):
    """The comparison of two test runs."""

    total: TestChange
    modules_passed: TestChange
    """Modules where every test that ran passed, of the modules with any test that ran."""
    modules: tuple[TestChange, ...]
    appeared: tuple[str, ...]
    """Tests that the earlier run does not contain."""
    vanished: tuple[str, ...]
    not_run: tuple[str, ...]
    """Tests that did not run now: skipped, or passed in 0.000 s."""


class Exposures(Struct, frozen=True, kw_only=True):
    """The exposures of both revisions."""

    before: Exposure
    after: Exposure


class Comparison(Struct, frozen=True, kw_only=True):
    """The comparison of a revision with its baseline."""

    baseline: str
    """The name of the baseline revision."""
    revision: str
    covered_before: Span
    covered_after: Span
    exposure: Exposures
    reason: str | None
    """Why the two cannot be compared; None when they can."""
    caveats: tuple[str, ...]
    """Sentences for the reader about the limits of the comparison."""
    changes: tuple[Change, ...]
    """Changes, the worst first."""
    tests: TestComparison | None = None
    baselines: tuple[str, ...] = ()
    """All revisions compared with, where there are several; `baseline` is the first of them."""

    def counts(self) -> dict[ChangeState, int]:
        """Count the signatures in each state, the worst first; empty states are omitted."""
        found = {state: sum(change.state is state for change in self.changes) for state in ChangeState}
        return {state: n for state, n in found.items() if n}

    def rows(self) -> list[dict[str, Any]]:
        """Return one row for each change, with the field names of `Change` as columns."""
        return [to_builtins(change) | {"clusters": " ".join(change.clusters)} for change in self.changes]

    def to_frame(self) -> pd.DataFrame:
        """Return the table of changes as a data frame."""
        from forensics.model.frames import to_frame  # noqa: PLC0415 - for notebooks

        return to_frame(self.rows(), Change.__struct_fields__)

    def _repr_html_(self) -> str:
        """Show the changes in a notebook."""
        from forensics.model.frames import to_html  # noqa: PLC0415 - for notebooks

        rows = [row | {"signature": row["signature"] or row["title"]} for row in self.rows()]
        return to_html(f"{self.baseline} → {self.revision}", rows, ("state", "signature", "statement"))

    def of(self, signature: str | None, fingerprint: str) -> Change | None:
        """Return the change of a signature; without one, of a fingerprint."""
        return next((c for c in self.changes if names(c) == (signature, None if signature else fingerprint)), None)


def names(change: Change) -> tuple[str | None, str | None]:
    """Return the key of a change: (signature, None) or (None, fingerprint)."""
    return change.signature, change.fingerprint
