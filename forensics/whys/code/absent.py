"""Why an image lacks files, as far as the repository shows it: left out, removed, never committed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.model import Evidence, IgnoreLine, IgnoreReader, Verdict
from forensics.text.plurals import counted
from forensics.whys.code.code_view import CodeQuestion, concluded, name_commit, name_line, statement
from forensics.whys.code.paths import find_file
from forensics.whys.code.related import is_dockerfile, related_commits
from forensics.whys.wording import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.whys.contexts import EvidenceResult

_JUDGED = 500
"""Files of a folder that are held against the ignore files."""
_READERS = {IgnoreReader.DOCKER: "the image", IgnoreReader.GCLOUD: "what gcloud uploads"}
LOOK_INSIDE = "look inside the image whether it is there, and whether COPY in the Dockerfile takes its folder along"


def present(look: CodeQuestion, shown: str, members: Sequence[str]) -> EvidenceResult:
    """Say why files of the commit are not in the image: a line of an ignore file excludes all of them."""
    lines = _leave_out_all(look, members[:_JUDGED])
    where = f"`{plain(shown)}` exists at commit {look.at.short}"
    related = related_commits(look, (shown.rstrip("/"), *_frame(look)))
    if not lines:
        text = f"{where} ({counted(len(members), 'file')}); {_nothing_leaves_out(look)}"
        return concluded(Verdict.NO_EVIDENCE, statement(text), *related, look=look, next_step=LOOK_INSIDE)
    best, *others = lines
    said = [statement(f"{where} and is left out of {_by(look, best)}", **_values(look, best))]
    said += [statement(f"it is also left out of {_by(look, line)}", **_values(look, line)) for line in others]
    doubt = _doubt(look, lines, shown)
    verdict = Verdict.PLAUSIBLE if doubt else Verdict.SUPPORTED
    return concluded(verdict, *said, *([statement(doubt)] if doubt else []), *related, look=look)


def gone(look: CodeQuestion, shown: tuple[str, ...], paths: tuple[str, ...], probe: str) -> EvidenceResult:
    """Say why the commit does not hold files: removed, moved, committed later, or never committed.

    `paths` are the files and folders that would be it, `probe` a file that git would have been asked to add.
    """
    where = " or ".join(f"`{plain(name)}`" for name in shown) + f" is not in commit {look.at.short}"
    file = shown[0]
    related = related_commits(look, (*paths, *_frame(look)))
    history = look.base.touching(look.at, paths, most=1)
    if history.found:
        commit = history.found[0].commit
        moves = [pair for path in paths for pair in look.base.moved(commit, path)]
        what = f"moved it: `{plain(moves[0][0])}` became `{plain(moves[0][1])}`" if moves else "removed it"
        evidence = statement(f"{where}: {name_commit(commit)} {what}", commit=commit.id, file=file)
        return concluded(Verdict.SUPPORTED, evidence, *related, look=look)
    later = look.base.touching(look.base.head(), paths, after=look.at)
    if later.found:
        first = later.found[-1].commit
        evidence = statement(f"{where}: it was committed later, in {name_commit(first)}", commit=first.id, file=file)
        return concluded(Verdict.SUPPORTED, evidence, *related, look=look)
    ignored = [line for line in look.base.ignored(look.at, probe) if line.by is IgnoreReader.GIT]
    why = [statement(f"git is told to ignore it by {_written(look, line)}", **_values(look, line)) for line in ignored]
    if not history.complete:
        evidence = statement(f"{where}, nor in the part of its history that this repository holds", file=file)
        return concluded(Verdict.PLAUSIBLE, evidence, *why, *related, look=look)
    evidence = statement(f"{where}: it was never committed before it", file=file, commit=look.at.id)
    return concluded(Verdict.SUPPORTED, evidence, *why, *related, look=look)


def in_other_case(look: CodeQuestion, shown: str, found: str) -> EvidenceResult:
    """Say that a file is there under a name in other upper and lower case, which Linux tells apart."""
    text = f"commit {look.at.short} holds `{plain(found)}`, not `{plain(shown)}`: upper and lower case differ"
    return concluded(Verdict.SUPPORTED, statement(text, file=found, commit=look.at.id), look=look)


def other_case(wanted: Sequence[str], files: Sequence[str]) -> str | None:
    """Return the file that differs from a wanted one, or from a folder above it, in nothing but case."""
    lowered = [name.lower() for name in wanted]
    for file in files:
        small = file.lower()
        if any((small == name or small.startswith(f"{name}/")) for name in lowered):
            return file
    return None


def _leave_out_all(look: CodeQuestion, members: Sequence[str]) -> list[IgnoreLine]:
    """Return, for each ignore file that leaves out every one of some files, the line that does it to the first."""
    first, *rest = ({line.file: line for line in look.base.ignored(look.at, path)} for path in members)
    common = set(first).intersection(*rest) if rest else set(first)
    lines = [line for file, line in first.items() if file in common and line.by in _READERS]
    return sorted(lines, key=lambda line: (line.by is not IgnoreReader.DOCKER, line.file.count("/"), line.file))


def _by(look: CodeQuestion, line: IgnoreLine) -> str:
    return f"{_READERS[line.by]} by {_written(look, line)}"


def _written(look: CodeQuestion, line: IgnoreLine) -> str:
    added = None if line.file.startswith("/") else look.base.wrote(look.at, line.file, line.number)
    return name_line(line) + (f", added in {name_commit(added)}" if added else "")


def _values(look: CodeQuestion, line: IgnoreLine) -> dict[str, str]:
    added = None if line.file.startswith("/") else look.base.wrote(look.at, line.file, line.number)
    return {"file": line.file, "line": str(line.number), "commit": (added or look.at).id}


def _doubt(look: CodeQuestion, lines: Sequence[IgnoreLine], shown: str) -> str | None:
    """Say what is not known about how the image was built, and could make the line meaningless."""
    if lines[0].by is IgnoreReader.GCLOUD:
        return "that the sources were uploaded with gcloud is not shown"
    if not any(is_dockerfile(file) for file in look.files):
        return "there is no Dockerfile at this commit, and buildpacks do not read .dockerignore"
    decisive = {line.file for line in lines}
    for file in look.files:
        folder = file[: file.rfind("/") + 1]
        if file.endswith(".dockerignore") and shown.startswith(folder) and file not in decisive:
            return f"`{plain(file)}` does not leave it out; which of the two was used is not shown"
    return None


def _nothing_leaves_out(look: CodeQuestion) -> str:
    names = [file for file in look.files if file.endswith((".dockerignore", ".gcloudignore"))]
    if not names:
        return "there is no .dockerignore or .gcloudignore"
    return "no line of " + ", ".join(f"`{plain(name)}`" for name in names[:3]) + " leaves it out"


def _frame(look: CodeQuestion) -> tuple[str, ...]:
    found = find_file(look.frame_file, look.files).path if look.frame_file else None
    return (found,) if found else ()


def submodule_evidence(look: CodeQuestion, path: str) -> Evidence | None:
    """Say that a path lies in another repository."""
    for folder in look.base.submodules(look.at):
        if path == folder or path.startswith(f"{folder}/"):
            text = (
                f"`{plain(path)}` lies in `{plain(folder)}`, a submodule: another repository, "
                "which a build gets only when it is fetched too"
            )
            return statement(text, file=folder, commit=look.at.id)
    return None
