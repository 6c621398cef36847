"""Check that a case is unchanged since it was written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.cases.case import Case
from forensics.cases.segments import bounds, hash_problem, read_segment
from forensics.errors import CaseError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from forensics.cases.manifest import Manifest, Segment


def verify(folder: Path | str) -> list[str]:
    """Hash, unpack and count every segment of a case again; return what is wrong, one line each."""
    try:
        case = Case.look(folder)
    except CaseError as error:
        return [str(error)]
    problems = [problem for segment in case.manifest.segments for problem in _of_segment(case.folder, segment)]
    return [*problems, *_of_manifest(case.manifest)]


def check_hashes(case: Case) -> None:
    """Raise CaseError when a segment has changed since it was written."""
    for segment in case.manifest.segments:
        problem = hash_problem(case.folder, segment)
        if problem is not None:
            folder = str(case.folder)
            raise CaseError(
                f"the case {folder!r} is not sound: {problem}; `forensics verify {folder}` lists everything, "
                f"and --logs {folder}/segments reads what is left"
            )


def _of_segment(folder: Path, segment: Segment) -> Iterator[str]:
    problem = hash_problem(folder, segment)
    if problem is not None:
        yield problem
        return  # its entries are not worth checking then
    try:
        first, last = bounds(read_segment(folder, segment))
    except CaseError as error:
        yield str(error)
        return
    if (first, last) != (segment.first, segment.last):
        # The manifest may come from anywhere: its texts are quoted, so that none can control a terminal.
        yield (
            f"{segment.file}: reaches from {first!r} to {last!r}, "
            f"the manifest says {segment.first!r} to {segment.last!r}"
        )


def _of_manifest(manifest: Manifest) -> Iterator[str]:
    pulled = sum(pull.entries for pull in manifest.pulls)
    if pulled != manifest.entries:
        yield f"manifest.json: its pulls brought {pulled:,} entries, its segments hold {manifest.entries:,}"
    for number, pull in enumerate(manifest.pulls, 1):
        if pull.checkpoint.done != (pull.finished is not None):
            yield f"manifest.json: pull {number} is finished by one field and unfinished by another"
