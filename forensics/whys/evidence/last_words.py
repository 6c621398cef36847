"""Evidence `last_words`: a cause that stands before an end, else what the process said last, or where it listens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from forensics.log.citations import cite
from forensics.model import EntryRef, Evidence, Verdict, WhyRule
from forensics.text.plurals import counted
from forensics.text.redact import quote
from forensics.text.timestamps import SECOND, format_lag
from forensics.whys.contexts import ClusterContext, EvidenceResult, measured
from forensics.whys.evidence import linked
from forensics.whys.evidence_kind import EvidenceKind, always
from forensics.whys.final_lines import last_words, listens_elsewhere, sounds_like

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.model import Occurrence

READ = 20
"""Ends of which the last words are read, the latest."""
_QUOTED = 200
"""Characters of the decisive line."""


def gather(why: WhyRule, context: ClusterContext) -> EvidenceResult:
    """Look for a linked cause; without one, tell which port is listened on, or what was said last."""
    causes = replace(why, evidence="causes")
    found = linked.KIND.gather(causes, context)
    if found.verdict.holds or context.cluster.id in context.run.parents:
        return found
    ends = context.occurrences[-READ:]
    return _ports(ends, context) or _words(ends, context) or found


def _ports(ends: Sequence[Occurrence], context: ClusterContext) -> EvidenceResult | None:
    """Hold a failed probe against the port on which the application says that it listens."""
    probed = {value for value, _ in context.cluster.captures.get("port", ())}
    if len(probed) != 1:
        return None
    found = [said for end in ends if (said := listens_elsewhere(end, int(*probed), context.run)) is not None]
    if not found:
        return None
    said = found[-1]
    words = f"it says that it listens on {said.where}, but is probed on port {probed.pop()}"
    refs = tuple(cite(context.run.table.original(row)) for row in (said.row, ends[-1].rows[0]))
    evidence = _evidence(f"“{quote(said.line, _QUOTED)}”: {words}", len(found), len(ends), refs)
    return _result(evidence, words, words, format_lag((said.before / SECOND, said.before / SECOND)))


def _words(ends: Sequence[Occurrence], context: ClusterContext) -> EvidenceResult | None:
    spoken = [words for end in ends if (words := last_words(end, context.run)) is not None]
    if not spoken:
        return None
    last = spoken[-1]
    alike = [words for words in spoken if sounds_like(words.decisive, last.decisive)]
    lags = [words.before / SECOND for words in alike]
    lag = format_lag((min(lags), max(lags)))
    line = quote(last.decisive.message.strip().split("\n", 1)[0], _QUOTED)
    refs = tuple(cite(context.run.table.original(row)) for row in last.rows)
    happened = f"{len(alike)} of {counted(len(ends), context.cluster.unit)}"
    which = "" if len(ends) == len(context.occurrences) else " that were read"
    statement = f"“{line}” is what was said last, {lag} before {happened}{which}"
    evidence = _evidence(statement, len(alike), len(ends), refs)
    return _result(evidence, line, f"“{line}”", lag)


def _evidence(statement: str, count: int, of: int, refs: tuple[EntryRef, ...]) -> Evidence:
    return Evidence(kind="last_words", statement=statement, count=count, of=of, refs=refs, measure=measured(count, of))


def _result(evidence: Evidence, words: str, told: str, lag: str) -> EvidenceResult:
    """Make the answer: order and place alone, so never more than plausible."""
    values = {"count": evidence.count, "of": evidence.of, "lag": lag, "linked": told, "words": words}
    return EvidenceResult(verdict=Verdict.PLAUSIBLE, evidence=(evidence,), values=values)


KIND = EvidenceKind(
    name="last_words",
    provides=("words",),
    gather=gather,
    names_a_thing=always,
    looks_outside=True,
    looks_in=linked.KIND.looks_in,
    is_near=linked.KIND.is_near,
    mend_answer=linked.KIND.mend_answer,
    is_factor=False,
)
