"""Find the revision and the service of a raw record: in its resource labels, or in the content of an audit entry."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from forensics.text.nested_values import dict_at, text_at

if TYPE_CHECKING:
    from collections.abc import Mapping

_RESOURCE_REVISION = re.compile(r"/revisions/([\w-]+)")
_RESOURCE_SERVICE = re.compile(r"/services/([\w-]+)")
# Ready condition status changed to False for Revision shop-00003-abc with message: …
# Revision 'shop-00003-abc' is not ready and cannot serve traffic.
# But not: Permission denied on secret … for Revision service account 1-compute@developer.gserviceaccount.com.
# A revision is called after its service, with a hyphen and a suffix.
_SAID_REVISION = re.compile(r"""(?:\bfor\ Revision\ ['"]?|\bRevision\ ['"])([a-z]\w*-[\w-]+)""", re.VERBOSE)


def revision_of(record: Mapping[str, Any]) -> str:
    """Return the revision of a record; for an audit entry, the one that it is about; "" when unknown."""
    name = text_at(record, "resource", "labels", "revision_name")
    # Service-level audit entries have an empty label; only their content names the revision that was deployed.
    return name or (_revision_spoken_of(dict_at(record, "protoPayload")) if "protoPayload" in record else "")


def _revision_spoken_of(proto: Mapping[str, Any]) -> str:
    found = _RESOURCE_REVISION.search(text_at(proto, "resourceName"))
    if found:
        return found[1]
    if text_at(proto, "response", "kind") == "Revision":
        return text_at(proto, "response", "metadata", "name")
    found = _SAID_REVISION.search(text_at(proto, "status", "message"))
    return found[1] if found else text_at(proto, "response", "status", "latestCreatedRevisionName")


def service_of(record: Mapping[str, Any]) -> str:
    """Return the service of a record; without one, the name of the job or function."""
    labels = dict_at(record, "resource", "labels")
    name = text_at(labels, "service_name") or text_at(labels, "configuration_name")
    if not name and "protoPayload" in record:
        found = _RESOURCE_SERVICE.search(text_at(record, "protoPayload", "resourceName"))
        name = found[1] if found else ""
    return name or text_at(labels, "job_name") or text_at(labels, "function_name")
