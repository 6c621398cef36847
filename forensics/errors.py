"""What can go wrong in a way that a user can mend.

    ForensicsError            one line on stderr, exit code 2
    ├── UsageError            flags or settings that do not fit together
    ├── SourceError           the logs could not be read
    │   ├── NoEntriesError    they were read and hold nothing that was asked for
    │   └── RevisionError     no revision fits, or (SeveralRevisionsError) several do
    ├── CaseError             a case cannot be read or written, or has been changed
    ├── RepositoryError       a git repository cannot be read, or lacks what was asked for
    ├── RuleError             a rule file is not a rule
    ├── BaselineError         the report to compare with cannot be used
    ├── LedgerError           the ledger of cycles cannot be read or written
    └── TemplateError         a report template does not render

A message names the thing, says what is wrong with it, and ends with the next step. Everything else that is raised
is a bug and looks like one, traceback and all.
"""

from __future__ import annotations


class ForensicsError(Exception):
    """What a user can mend; printed as one line, exit code 2."""


class UsageError(ForensicsError):
    """Flags or settings do not fit together."""


class SourceError(ForensicsError):
    """The logs could not be read."""


class NoEntriesError(SourceError):
    """The logs were read, and hold nothing that was asked for."""


class RevisionError(SourceError):
    """No revision fits what was asked for, or several do."""


class SeveralRevisionsError(RevisionError):
    """Several revisions fit what was asked for; the message lists them."""


class CaseError(ForensicsError):
    """A case cannot be read or written, or is not as it was written."""


class RepositoryError(ForensicsError):
    """A git repository cannot be read, or does not hold what was asked for."""


class RuleError(ForensicsError):
    """A rule file is not a rule. One error may speak of many files, a line each."""


class BaselineError(ForensicsError):
    """The report to compare with cannot be used."""


class LedgerError(ForensicsError):
    """The ledger of cycles cannot be read or written, or holds what is no cycle."""


class TemplateError(ForensicsError):
    """A report template does not render."""
