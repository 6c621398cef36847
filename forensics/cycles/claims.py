"""Parse claims that people write, and make claims (with the query that checks them) for a new cycle."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

from forensics.comparison.denominators import choose
from forensics.comparison.failures import count_failures
from forensics.comparison.required_exposure import exposure_needed
from forensics.errors import UsageError
from forensics.model import ChangeState, Claim, ClaimKind, ClaimQuery, ClaimState, Exposure, Role
from forensics.text.redact import quote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.model import Change, Cluster, Cycle, Report

# websocket-1011-serialization gone        http-5xx better        http-5xx fixed by 4f2a9c1
_CLAIM = re.compile(r"(?P<name>\S+)\s+(?:(?P<word>gone|better)|fixed\s+by\s+(?P<by>\S.*))")
_BACKED_BY = {
    ClaimKind.GONE: {ChangeState.GONE},
    ClaimKind.FIXED: {ChangeState.GONE},
    ClaimKind.BETTER: {ChangeState.BETTER, ChangeState.GONE},
}


class ClaimStatement(NamedTuple):
    """A claim as a person wrote it, parsed."""

    name: str
    kind: ClaimKind
    by: str = ""

    @property
    def statement(self) -> str:
        """Return the claim in its canonical form."""
        return f"{self.name} {self.kind}" + (f" {self.by}" if self.by else "")


class CycleDraft(NamedTuple):
    """A cycle that is not recorded yet, for which claims are made."""

    number: int
    time: str
    report: Report
    earlier: Sequence[Cycle]


def parse_claim(text: str) -> ClaimStatement:
    """Parse `SIGNATURE gone`, `SIGNATURE better` or `SIGNATURE fixed by CHANGE`.

    Raises:
        UsageError: it has another form.
    """
    found = _CLAIM.fullmatch(text.strip())
    if found is None:
        raise UsageError(
            f"--claim {quote(text, 120)!r} is no claim: write 'SIGNATURE gone', 'SIGNATURE better' or "
            "'SIGNATURE fixed by CHANGE'"
        )
    if found["by"]:
        return ClaimStatement(found["name"], ClaimKind.FIXED, " ".join(quote(found["by"], 120).split()))
    return ClaimStatement(found["name"], ClaimKind(found["word"]))


def make_claims(asserted: Sequence[ClaimStatement], standing: Sequence[Claim], draft: CycleDraft) -> list[Claim]:
    """Make claims from what people asserted, and from what the comparison shows to be gone or better.

    A claim that already stands is not made again, unless a person asserts it.

    Raises:
        UsageError: a claim names what no cycle has seen.
    """
    by_hand = [_claim(draft, one, by_hand=True) for one in dict.fromkeys(asserted)]
    known = {claim.statement for claim in by_hand}
    known |= {claim.statement for claim in standing if claim.state is not ClaimState.REFUTED}
    compared = _statements_of(draft.report)
    return [*by_hand, *(_claim(draft, one, by_hand=False) for one in compared if one.statement not in known)]


def _statements_of(report: Report) -> list[ClaimStatement]:
    """Return what the comparison of a report shows to be gone or better."""
    kinds = {ChangeState.GONE: ClaimKind.GONE, ChangeState.BETTER: ClaimKind.BETTER}
    changes = report.comparison.changes if report.comparison else ()
    return [
        ClaimStatement(change.signature or change.fingerprint or "", kinds[change.state])
        for change in changes
        if change.state in kinds and change.role is not Role.NOISE
    ]


def _claim(draft: CycleDraft, one: ClaimStatement, *, by_hand: bool) -> Claim:
    query = _query(draft, one.name)
    change = _change(draft.report, query)
    is_shown = change is not None and change.state in _BACKED_BY[one.kind]
    return Claim(
        statement=one.statement,
        name=one.name,
        title=_title(draft, query),
        kind=one.kind,
        by=one.by,
        made_in=draft.number,
        made_of=draft.report.revision.name,
        made_at=draft.time,
        by_hand=by_hand,
        made_shown=is_shown,
        made_reason=_reason(draft, query, change),
        query=query,
        state=ClaimState.SHOWN if is_shown else ClaimState.ASSERTED,
    )


def _title(draft: CycleDraft, query: ClaimQuery) -> str:
    everywhere = (draft.report.clusters, *(cycle.clusters for cycle in draft.earlier))
    seen = (cluster for clusters in everywhere for cluster in clusters)
    return next(cluster.title for cluster in seen if _name(cluster) in {query.signature, query.fingerprint})


def _reason(draft: CycleDraft, query: ClaimQuery, change: Change | None) -> str:
    if change is not None:
        return change.statement
    if query.cycle == draft.number:
        return f"seen {query.occurrences:,} times in this very cycle, and there is no cycle before to compare with"
    return f"not seen now, nor in the cycle before; last seen {query.occurrences:,} times in {query.revision}"


def _change(report: Report, query: ClaimQuery) -> Change | None:
    return report.comparison.of(query.signature, query.fingerprint or "") if report.comparison else None


def _query(draft: CycleDraft, name: str) -> ClaimQuery:
    """Make the query from the latest earlier cycle that saw the signature, else from this cycle.

    Raises:
        UsageError: no cycle has seen it.
    """
    current = (draft.number, draft.report.revision.name, draft.report.clusters, draft.report.exposure)
    before = [(c.number, c.revision.name, c.clusters, c.exposure) for c in reversed(draft.earlier)]
    for number, revision, clusters, exposure in (*before, current):
        seen = [cluster for cluster in clusters if _name(cluster) == name]
        if seen:
            return _query_of(seen, exposure, number, revision, draft.report)
    known = dict.fromkeys(_name(cluster) for _, _, clusters, _ in (current, *before) for cluster in clusters)
    near = get_close_matches(name, known, 1)
    seen_not = f"--claim: no cycle has seen {quote(name, 80)!r}"
    raise UsageError(f"{seen_not} (did you mean {near[0]!r}?)" if near else f"{seen_not}; seen are {', '.join(known)}")


def _query_of(
    seen: Sequence[Cluster], exposure: Exposure | None, cycle: int, revision: str, report: Report
) -> ClaimQuery:
    occurrences = count_failures(seen)
    denominator = choose(seen, (occurrences, 0), exposure, report.exposure)
    return ClaimQuery(
        signature=seen[0].signature,
        fingerprint=None if seen[0].signature else seen[0].fingerprint,
        rule_version=seen[0].signature_version,
        measure=denominator.measure,
        cycle=cycle,
        revision=revision,
        occurrences=occurrences,
        exposure=denominator.before,
        needed=exposure_needed(seen, denominator.before, denominator.measure, exposure),
    )


def _name(cluster: Cluster) -> str:
    return cluster.signature or cluster.fingerprint
