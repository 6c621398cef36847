"""Quote the lines at a place, and find the commits that changed it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.model import Evidence, Verdict
from forensics.whys.code.code_view import CodeQuestion, code_line, concluded, list_commits, name_commit, statement
from forensics.whys.code.paths import find_file
from forensics.whys.code.related import related_commits
from forensics.whys.wording import plain

if TYPE_CHECKING:
    from forensics.model import Touch
    from forensics.whys.contexts import EvidenceResult

_AROUND = 2
"""Lines before and after the frame's that are quoted."""
_LAST = 3
"""Commits that are listed when no baseline bounds them."""


def changed(look: CodeQuestion, named: str, line: int | None) -> EvidenceResult:
    """Quote the lines around a place, and cite the commits that touched its file since the baseline."""
    found = find_file(named, look.files)
    if found.path is None:
        return _not_found(look, named, found.several)
    quoted = _lines(look, found.path, line)
    baseline = look.base.baseline
    if baseline is None:
        return _last_commits(look, found.path, quoted)
    touches = look.base.touching(look.at, (found.path,), after=baseline).found
    if touches:
        return _since(look, found.path, line, touches, quoted)
    others = related_commits(look, ())
    if baseline.id == look.at.id:
        return concluded(Verdict.NO_EVIDENCE, *quoted, *others, look=look)
    between = f"between {baseline.short} and {look.at.short}"
    said = statement(f"no commit {between} touches `{plain(found.path)}`: what changed lies elsewhere")
    return concluded(Verdict.NO_EVIDENCE, said, *quoted, *others, look=look)


def _last_commits(look: CodeQuestion, path: str, quoted: list[Evidence]) -> EvidenceResult:
    """Without a baseline: the last commits that touch a file, which shows nothing about what is new."""
    last = look.base.touching(look.at, (path,), most=_LAST).found
    if last:
        text = f"the last commits up to {look.at.short} that touch `{plain(path)}`: {list_commits(last)}"
        said = statement(text, file=path, commit=last[0].commit.id)
    else:
        said = statement(f"which commits touch `{plain(path)}` is older than the history of this clone")
    step = "say which commit ran before, so that only what is new is looked at: --baseline-commit SHA"
    return concluded(Verdict.NO_EVIDENCE, said, *quoted, look=look, next_step=step)


def _since(
    look: CodeQuestion, path: str, line: int | None, touches: tuple[Touch, ...], quoted: list[Evidence]
) -> EvidenceResult:
    """Since a baseline: whether a commit wrote the very line, or touched its file elsewhere."""
    author = look.base.wrote(look.at, path, line) if line else None
    before = look.base.baseline.short if look.base.baseline else ""
    listed = f"commits between {before} and {look.at.short} that touch `{plain(path)}`: {list_commits(touches)}"
    if author is not None and any(touch.commit.id == author.id for touch in touches):
        text = f"{name_commit(author)} wrote line {line} of `{plain(path)}`, after {before}"
        said = statement(text, file=path, line=str(line), commit=author.id)
        return concluded(Verdict.SUPPORTED, said, statement(listed, file=path), *quoted, look=look)
    text = listed + ("; the line itself is older" if author is not None else "")
    said = statement(text, file=path, commit=touches[0].commit.id)
    return concluded(Verdict.PLAUSIBLE, said, *quoted, look=look)


def _lines(look: CodeQuestion, path: str, line: int | None) -> list[Evidence]:
    """Quote the lines around a place as they stand at the deployed commit."""
    text = look.base.text(look.at, path) if line else None
    lines = text.split("\n") if text else []
    if not line or not 0 < line <= len(lines):
        what = f"`{plain(path)}` at commit {look.at.short} has no line {line}" if line and lines else ""
        return [statement(f"{what}: it is not what was running")] if what else []
    first, last = max(1, line - _AROUND), min(len(lines), line + _AROUND)
    quoted = [(number, code_line(lines[number - 1])) for number in range(first, last + 1)]
    said = "; ".join(f"{number} `{text}`" for number, text in quoted if text)
    where = f"`{plain(path)}` at commit {look.at.short}, lines {first}–{last}"
    return [statement(f"{where}: {said}", file=path, line=str(line), commit=look.at.id)] if said else []


def _not_found(look: CodeQuestion, named: str, several: tuple[str, ...]) -> EvidenceResult:
    if several:
        listed = ", ".join(f"`{plain(path)}`" for path in several[:4])
        text = f"several files of commit {look.at.short} fit `{plain(named)}`: {listed}"
        step = "name the folder that the image is built from: --repo PATH/TO/FOLDER"
    else:
        text = f"no file of commit {look.at.short} fits `{plain(named)}`"
        step = "name the repository of this service with --repo, and its commit with --commit"
    evidence = statement(text, commit=look.at.id)
    return concluded(Verdict.NO_EVIDENCE, evidence, *related_commits(look, ()), look=look, next_step=step)
