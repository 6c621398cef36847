"""What every look at a repository shares: the view of one why, and how commits, files and lines are written."""

from __future__ import annotations

from msgspec import Struct

from forensics.model import CodeBase, Commit, DeployedCommit, Evidence, IgnoreLine, Touch, Verdict
from forensics.text.redact import quote
from forensics.whys.contexts import EvidenceResult
from forensics.whys.wording import plain

LISTED = 5
"""Commits that a statement lists."""


class CodeQuestion(Struct, frozen=True, kw_only=True):
    """The repository as one why sees it."""

    base: CodeBase
    at: Commit
    """The commit that was deployed."""
    deployed: DeployedCommit
    frame_file: str | None
    """The innermost frame's file as the entries name it, when it is the application's."""
    frame_line: int | None

    @property
    def files(self) -> tuple[str, ...]:
        """The files at the deployed commit."""
        return self.base.files(self.at)


def statement(text: str, **values: str) -> Evidence:
    """Make evidence of a sentence about code; the values name hash, file and line in full."""
    return Evidence(kind="commits", statement=text, values=values)


def concluded(
    verdict: Verdict, *evidence: Evidence, look: CodeQuestion, next_step: str | None = None
) -> EvidenceResult:
    """Close a look at a repository: the commit that it rests on is cited, and an assumed one carries no certainty."""
    if verdict is Verdict.SUPPORTED and look.deployed.assumed:
        verdict = Verdict.PLAUSIBLE
    rests = statement(look.deployed.statement, commit=look.at.id, how=look.deployed.how)
    return EvidenceResult(verdict=verdict, evidence=(*evidence, rests), next_step=next_step)


def name_commit(commit: Commit) -> str:
    """Write `1a2b3c4 (Leave monitoring out of the image)`."""
    return f"{commit.short} ({plain(commit.subject)})"


def name_line(line: IgnoreLine) -> str:
    """Write ``line 3 of `.dockerignore` (`**/monitoring/`)``."""
    return f"line {line.number} of `{plain(line.file)}` (`{plain(line.text)}`)"


def list_commits(touches: tuple[Touch, ...]) -> str:
    """Write the newest commits and the number of the others."""
    listed = ", ".join(f"{name_commit(touch.commit)}" for touch in touches[:LISTED])
    rest = len(touches) - LISTED
    return f"{listed} and {rest} more" if rest > 0 else listed


def code_line(text: str) -> str:
    """Quote a line of code in a sentence: redacted, short."""
    return quote(text.strip(), 160).replace("`", "'")
