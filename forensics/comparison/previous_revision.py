"""Everything that was read in, the revision that served before another out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.errors import BaselineError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.model import LogIndex, Revision, RevisionSpan

_REQUESTS = "run.googleapis.com%2Frequests"


def previous_revision(revision: Revision, spans: Sequence[RevisionSpan], log_index: LogIndex) -> str:
    """Return the revision of the same service that served before another, by when each was first seen.

    The audit log counts: what it says of a deployment is the first that is seen of a revision. One that was deployed
    and never answered a request did not serve, and is taken only where nothing else is there.

    Raises:
        BaselineError: these entries know no earlier revision of the service.
    """
    names = [span.name for span in spans if span.service == revision.service]
    earlier = names[: names.index(revision.name)] if revision.name in names else names
    own = [label_set for label_set in log_index.label_sets if not label_set.is_audit]
    served = {label_set.revision for label_set in own if label_set.log_name.endswith(_REQUESTS)}
    ran = {label_set.revision for label_set in own}
    found = next((name for group in (served, ran) for name in reversed(earlier) if name in group), None)
    if found is None:
        raise BaselineError(
            f"no revision before {revision.name!r} in these entries: name one with --baseline, "
            "or logs that hold it with --baseline-logs"
        )
    return found
