"""The kinds of evidence, one module each, found by being in this folder.

To add a kind, add a module with `KIND = EvidenceKind(name=…, gather=…, …)`, named after the kind, and a row in
the table of rules/README.md.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from forensics.whys.evidence_kind import EvidenceKind


def _declared(names: Iterable[str]) -> dict[str, EvidenceKind]:
    """Import the modules of these names in order, and return what each declares."""
    return {name: import_module(f"{__name__}.{name}").KIND for name in sorted(names)}


EVIDENCE: Mapping[str, EvidenceKind] = _declared(module.name for module in iter_modules(__path__))
"""Every kind by its name, in the order of their names."""

__all__ = ["EVIDENCE"]
