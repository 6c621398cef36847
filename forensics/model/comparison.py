"""Two revisions beside each other: how much each was exposed to, and what became of each signature and test."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from msgspec import Struct, to_builtins

from forensics.model.coverage import Span
from forensics.model.enums import ClusterId, OccurrenceUnit, Priority, Role

if TYPE_CHECKING:
    import pandas as pd


class ExposureKind(StrEnum):
    """What a number of occurrences is held against."""

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
    """What became of a signature between two revisions; the worst news first."""

    NEW = "new"
    WORSE = "worse"
    NOT_COMPARABLE = "not comparable"
    NO_CHANGE = "no detectable change"
    BETTER = "better"
    GONE = "gone"
    """Zero now, with exposure enough that the old rate would have shown. Only this may be called resolved."""


class Exposure(Struct, frozen=True, kw_only=True):
    """How often a revision could have failed, counted in its own entries; None where the log that tells is absent."""

    requests: int | None = None
    """Entries of the request log; with a margin what a sample of them tells."""
    requests_margin: int = 0
    """Where they were counted in a sample: so many more or fewer at 95 % confidence."""
    sessions: int | None = None
    """Handshakes of WebSockets: requests answered 101, and requests that failed on the paths of these."""
    starts: int | None = None
    """Instance lives whose start lies in these entries."""
    lives: int | None = None
    """Instance lives of which there is any entry."""

    def of(self, measure: ExposureKind) -> int | None:
        """Return the number of a measure."""
        return {
            ExposureKind.REQUESTS: self.requests,
            ExposureKind.SESSIONS: self.sessions,
            ExposureKind.STARTS: self.starts,
            ExposureKind.LIVES: self.lives,
        }[measure]


class Needed(Struct, frozen=True, kw_only=True):
    """In how much traffic a failure must not be seen, so that it may be called gone."""

    measure: ExposureKind
    exposure: int | None
    """None where the rate is not known: the log that counts is absent."""

    def sentence(self, name: str = "") -> str:
        """Say it of a failure, or of one that was named before."""
        none = f"none of {name} is seen" if name else "none is seen"
        if self.exposure is None:
            return f"{none} in traffic that is counted (these entries count no {self.measure})"
        return f"{none} in at least {self.exposure:,} {_ONE[self.measure] if self.exposure == 1 else self.measure}"


class Change(Struct, frozen=True, kw_only=True):
    """What became of one signature, or without a rule of one fingerprint; its clusters are added up."""

    signature: str | None
    fingerprint: str | None
    """None where a signature names it."""
    title: str
    role: Role
    priority: Priority
    state: ChangeState
    before: int
    """Occurrences."""
    after: int
    entries_before: int
    entries_after: int
    unit: OccurrenceUnit
    """Of the occurrences."""
    measure: ExposureKind
    measure_reason: str
    """Why this exposure and no other."""
    exposure_before: int | None
    exposure_after: int | None
    ratio: float | None = None
    """Rate after over rate before; None where there was none before, or where the two cannot be compared."""
    ci_low: float | None = None
    """Exact 95 % interval of the ratio."""
    ci_high: float | None = None
    """None with a `ci_low` of its own: without an upper bound."""
    p_value: float | None = None
    """Exact, two-sided, of this signature alone."""
    p_corrected: float | None = None
    """Corrected over all signatures of the comparison (Holm); the state goes by this."""
    statement: str
    clusters: tuple[ClusterId, ...]
    """Clusters of the revision that is compared, none where it is not seen there."""


class TestChange(Struct, frozen=True, kw_only=True):
    """Tests that passed, of those that ran."""

    name: str
    state: ChangeState
    passed_before: int
    ran_before: int
    passed_after: int
    ran_after: int
    p_value: float | None
    """Fisher's exact test, two-sided; None where one side ran nothing."""
    p_corrected: float | None
    """Over all modules (Holm)."""
    statement: str


class TestComparison(Struct, frozen=True, kw_only=True):
    """Two runs of tests beside each other."""

    total: TestChange
    modules_passed: TestChange
    """Modules in which every test that ran passed, of those in which any ran."""
    modules: tuple[TestChange, ...]
    appeared: tuple[str, ...]
    """Tests that the run before does not know."""
    vanished: tuple[str, ...]
    not_run: tuple[str, ...]
    """Tests that did not run now: skipped, or counted as passed in 0.000 s."""


class Exposures(Struct, frozen=True, kw_only=True):
    """The exposure of both sides."""

    before: Exposure
    after: Exposure


class Comparison(Struct, frozen=True, kw_only=True):
    """A revision beside its baseline."""

    baseline: str
    """The revision compared with."""
    revision: str
    covered_before: Span
    covered_after: Span
    exposure: Exposures
    reason: str | None
    """Why nothing can be compared; None where something can."""
    caveats: tuple[str, ...]
    """Sentences for a reader: what to keep in mind."""
    changes: tuple[Change, ...]
    """The worst first."""
    tests: TestComparison | None = None

    def counts(self) -> dict[ChangeState, int]:
        """Return how many signatures are in each state, the worst state first; states without one are left out."""
        found = {state: sum(change.state is state for change in self.changes) for state in ChangeState}
        return {state: n for state, n in found.items() if n}

    def rows(self) -> list[dict[str, Any]]:
        """Return the table of changes, a row for each, by the names of `Change`."""
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
        """Return what became of a signature, or without one of a fingerprint."""
        return next((c for c in self.changes if names(c) == (signature, None if signature else fingerprint)), None)


def names(change: Change) -> tuple[str | None, str | None]:
    """Return what a change speaks of: (signature, None) or (None, fingerprint)."""
    return change.signature, change.fingerprint
