"""Find out from Cloud Run logs why a revision fails, and write it down so that every sentence can be checked.

    import forensics

    report = forensics.analyze("logs/", revision="shop-api-00042")
    print(report.headline)

Functions, records and errors listed in `__all__` are what other programs may rely on; docs/python.md shows them in use.
Each is imported when it is first used, so that `import forensics` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forensics.api import analyze, compare, gate, load_rules, read_report, render
    from forensics.errors import (
        BaselineError,
        CaseError,
        ForensicsError,
        LedgerError,
        NoEntriesError,
        RepositoryError,
        RevisionError,
        RuleError,
        SeveralRevisionsError,
        SourceError,
        TemplateError,
        UsageError,
    )
    from forensics.extract.texts import exception_of, fingerprint, join_traces
    from forensics.model import (
        Change,
        ChangeState,
        Cluster,
        Comparison,
        Coverage,
        Evidence,
        Finding,
        GateReason,
        GateResult,
        GateThresholds,
        Incident,
        Level,
        Link,
        Outcome,
        Priority,
        Query,
        Report,
        Revision,
        Role,
        Rule,
        TracedException,
        Verdict,
        Why,
    )

__version__ = "0.2.0"

_FUNCTIONS = ("analyze", "compare", "gate", "load_rules", "read_report", "render")
_OF_TEXTS = ("exception_of", "fingerprint", "join_traces")
_ERRORS = (
    "BaselineError",
    "CaseError",
    "ForensicsError",
    "LedgerError",
    "NoEntriesError",
    "RepositoryError",
    "RevisionError",
    "RuleError",
    "SeveralRevisionsError",
    "SourceError",
    "TemplateError",
    "UsageError",
)
_HOMES = (
    dict.fromkeys(_FUNCTIONS, "forensics.api")
    | dict.fromkeys(_OF_TEXTS, "forensics.extract.texts")
    | dict.fromkeys(_ERRORS, "forensics.errors")
)

__all__ = [
    "BaselineError",
    "CaseError",
    "Change",
    "ChangeState",
    "Cluster",
    "Comparison",
    "Coverage",
    "Evidence",
    "Finding",
    "ForensicsError",
    "GateReason",
    "GateResult",
    "GateThresholds",
    "Incident",
    "LedgerError",
    "Level",
    "Link",
    "NoEntriesError",
    "Outcome",
    "Priority",
    "Query",
    "Report",
    "RepositoryError",
    "Revision",
    "RevisionError",
    "Role",
    "Rule",
    "RuleError",
    "SeveralRevisionsError",
    "SourceError",
    "TemplateError",
    "TracedException",
    "UsageError",
    "Verdict",
    "Why",
    "__version__",
    "analyze",
    "compare",
    "exception_of",
    "fingerprint",
    "gate",
    "join_traces",
    "load_rules",
    "read_report",
    "render",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "forensics.model")), name)


def __dir__() -> list[str]:
    return sorted(__all__)
