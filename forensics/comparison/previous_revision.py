"""Find the revision that served before another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.errors import BaselineError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.model import LogIndex, Revision, RevisionSpan

_REQUESTS = "run.googleapis.com%2Frequests"


def previous_revisions(
    revision: Revision, spans: Sequence[RevisionSpan], log_index: LogIndex, number: int = 1
) -> tuple[str, ...]:
    """Return up to a number of revisions of the same service that served before another, the nearest first.

    They are ordered by when each was first seen.

    A revision is first seen in the audit log of its deployment, if that is here. One that never answered a request did
    not serve, and is returned only when there is no other.

    Raises:
        BaselineError: these entries know no earlier revision of the service.
    """
    names = [span.name for span in spans if span.service == revision.service]
    earlier = names[: names.index(revision.name)] if revision.name in names else names
    label_sets = [label_set for label_set in log_index.label_sets if not label_set.is_audit]
    served = {label_set.revision for label_set in label_sets if label_set.log_name.endswith(_REQUESTS)}
    ran = {label_set.revision for label_set in label_sets}
    groups = ([name for name in reversed(earlier) if name in group] for group in (served, ran))
    found = next((group for group in groups if group), None)
    if found is None:
        raise BaselineError(
            f"no revision before {revision.name!r} in these entries: name one with --baseline, "
            "or logs that hold it with --baseline-logs"
        )
    return tuple(found[:number])
