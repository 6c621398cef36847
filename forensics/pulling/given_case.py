"""Open a case as the input of an analysis, whose report will name it by its hash."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from forensics.cases import Case, check_hashes
from forensics.errors import CaseError
from forensics.model import CaseRef
from forensics.pulling.pull_groups import pulled_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.model import Analysis, Pulled


class GivenCase(NamedTuple):
    """A case that was checked: its entries are those that were written."""

    case: Case
    paths: Sequence[str]
    listings: Sequence[Pulled]
    """The listings that filled it."""

    def named_in(self, analysis: Analysis) -> Analysis:
        """Return an analysis whose report says which case it was made from."""
        # By name and not by path: the same case gives the same report wherever it lies.
        reference = CaseRef(folder=self.case.folder.resolve().name, sha256=self.case.sha256)
        return replace(analysis, report=replace(analysis.report, case=reference))


def open_case(folder: str) -> GivenCase:
    """Open a case and check its hashes.

    Raises:
        CaseError: it is no case, holds no entries, or was changed.
    """
    case = Case.look(Path(folder))
    if not case.manifest.entries:
        raise CaseError(f"the case {folder!r} holds no entries; read exports with --logs")
    check_hashes(case)
    return GivenCase(case, case.paths, pulled_of(case.manifest))
