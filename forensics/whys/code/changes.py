"""A place in a file in, its lines and the commits that changed it out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.model import Evidence, Verdict
from forensics.whys.code.paths import find_file
from forensics.whys.code.related import related_commits
from forensics.whys.code.shown import Look, code_line, concluded, list_commits, name_commit, statement
from forensics.whys.wording import plain

if TYPE_CHECKING:
    from forensics.whys.scene import Gathered

_AROUND = 2
"""Lines before and after the frame's that are quoted."""
_LAST = 3
"""Commits that are listed when no baseline bounds them."""


def changed(look: Look, named: str, line: int | None) -> Gathered:
    """Quote the lines around a place, and cite the commits that touched its file since the baseline."""
    found = find_file(named, look.files)
    if found.path is None:
        return _not_found(look, named, found.several)
    path = found.path
    quoted = _lines(look, path, line)
    baseline = look.base.baseline
    if baseline is None:
        last = look.base.touching(look.at, (path,), most=_LAST).found
        text = f"the last commits up to {look.at.short} that touch `{plain(path)}`: {list_commits(last)}"
        said = (
            statement(text, file=path, commit=last[0].commit.id)
            if last
            else statement(f"`{plain(path)}` never changed")
        )
        step = "say which commit ran before, so that only what is new is looked at: --baseline-commit SHA"
        return concluded(Verdict.NO_EVIDENCE, said, *quoted, look=look, next_step=step)
    touches = look.base.touching(look.at, (path,), after=baseline).found
    between = f"between {baseline.short} and {look.at.short}"
    if not touches:
        if baseline.id == look.at.id:
            return concluded(Verdict.NO_EVIDENCE, *quoted, *related_commits(look, ()), look=look)
        text = f"no commit {between} touches `{plain(path)}`: what changed lies elsewhere"
        return concluded(Verdict.NO_EVIDENCE, statement(text), *quoted, *related_commits(look, ()), look=look)
    author = look.base.wrote(look.at, path, line) if line else None
    own = next((touch.commit for touch in touches if author is not None and touch.commit.id == author.id), None)
    if own is not None:
        text = f"{name_commit(own)} wrote line {line} of `{plain(path)}`, {between}"
        said = statement(text, file=path, line=str(line), commit=own.id)
        others = statement(f"commits {between} that touch the file: {list_commits(touches)}", file=path)
        return concluded(Verdict.SUPPORTED, said, others, *quoted, look=look)
    text = f"commits {between} that touch `{plain(path)}`: {list_commits(touches)}" + (
        "; the line itself is older" if author is not None else ""
    )
    return concluded(Verdict.PLAUSIBLE, statement(text, file=path, commit=touches[0].commit.id), *quoted, look=look)


def _lines(look: Look, path: str, line: int | None) -> list[Evidence]:
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


def _not_found(look: Look, named: str, several: tuple[str, ...]) -> Gathered:
    if several:
        listed = ", ".join(f"`{plain(path)}`" for path in several[:4])
        text = f"several files of commit {look.at.short} fit `{plain(named)}`: {listed}"
        step = "name the folder that the image is built from: --repo PATH/TO/SERVICE"
    else:
        text = f"no file of commit {look.at.short} fits `{plain(named)}`"
        step = "name the repository of this service with --repo, and its commit with --commit"
    evidence = statement(text, commit=look.at.id)
    return concluded(Verdict.NO_EVIDENCE, evidence, *related_commits(look, ()), look=look, next_step=step)
