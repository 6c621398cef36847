"""What goes wrong, request by request: a plan that the test server follows."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloud.contract import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

_TYPES = "type.googleapis.com/google.rpc."


@dataclass(frozen=True, slots=True)
class Failure:
    """A status instead of a page; `details` are google.rpc messages in JSON form."""

    status: str
    message: str
    details: tuple[dict[str, Any], ...] = ()

    def to_error(self) -> RefusedError:
        return RefusedError(self.status, self.message, list(self.details))


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection breaks in the middle of the page."""


@dataclass(frozen=True, slots=True)
class Slow:
    """The page comes after this many real seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class EmptyPage:
    """No entries, but a token: all is still to come."""


@dataclass(frozen=True, slots=True)
class ShortPage:
    """At most this many entries, though more would fit."""

    length: int


@dataclass(frozen=True, slots=True)
class RepeatedEntries:
    """The page starts with the last entries of the page before."""

    count: int


@dataclass(frozen=True, slots=True)
class ExpiredToken:
    """The next request that brings a token is refused, and that token for good."""


@dataclass(frozen=True, slots=True)
class ExhaustedFor:
    """The quota is used up for this many seconds of the server's clock, for every request in that time."""

    seconds: float
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A tail tells that entries were left out, once it has delivered this many."""

    count: int
    reason: str = "RATE_LIMIT"
    after: int = 0


@dataclass(frozen=True, slots=True)
class BrokenStream:
    """A tail breaks once it has delivered this many entries."""

    after: int
    failure: Failure = Failure("UNAVAILABLE", "Socket closed")


Fault = (
    Failure | Cut | Slow | EmptyPage | ShortPage | RepeatedEntries | ExpiredToken | ExhaustedFor
    | Suppressed | BrokenStream
)  # fmt: skip


class FaultPlan:
    """Faults for the requests to come, one each in their order; None lets a request pass."""

    def __init__(self, faults: Iterable[Fault | None] = ()) -> None:
        self._waiting = deque(faults)
        self._lock = threading.Lock()
        self._exhausted: tuple[float, Failure] | None = None

    @property
    def is_done(self) -> bool:
        """Whether every fault has struck."""
        return not self._waiting

    def take(self, now: float, *, has_token: bool = False) -> Fault | None:
        """The fault that strikes this request."""
        with self._lock:
            if self._exhausted is not None and now < self._exhausted[0]:
                return self._exhausted[1]
            if not self._waiting or (isinstance(self._waiting[0], ExpiredToken) and not has_token):
                return None
            fault = self._waiting.popleft()
            if isinstance(fault, ExhaustedFor):
                self._exhausted = (now + fault.seconds, quota_used_up(fault.retry_after))
                return self._exhausted[1]
            return fault


def _error_info(reason: str, **metadata: str) -> dict[str, Any]:
    return {
        "@type": _TYPES + "ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": {"service": "logging.googleapis.com", **metadata},
    }


def unavailable() -> Failure:
    return Failure("UNAVAILABLE", "The service is currently unavailable.")


def internal() -> Failure:
    return Failure("INTERNAL", "Internal error encountered.")


def deadline_exceeded() -> Failure:
    return Failure("DEADLINE_EXCEEDED", "Deadline expired before operation could complete.")


def aborted() -> Failure:
    return Failure("ABORTED", "The operation was aborted.")


def quota_used_up(retry_after: float | None = None, project: str = "123456789012") -> Failure:
    """RESOURCE_EXHAUSTED; with `retry_after` it says how many seconds to wait."""
    message = (
        "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute' "
        f"of service 'logging.googleapis.com' for consumer 'project_number:{project}'."
    )
    info = _error_info(
        "RATE_LIMIT_EXCEEDED",
        consumer=f"projects/{project}",
        quota_limit="ReadRequestsPerMinutePerProject",
        quota_limit_value="60",
        quota_location="global",
        quota_metric="logging.googleapis.com/read_requests",
    )
    wait = {"@type": _TYPES + "RetryInfo", "retryDelay": f"{retry_after:g}s"} if retry_after is not None else None
    return Failure("RESOURCE_EXHAUSTED", message, (info, wait) if wait else (info,))


def unauthenticated() -> Failure:
    message = (
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
    )
    return Failure("UNAUTHENTICATED", message, (_error_info("ACCESS_TOKEN_EXPIRED"),))


def permission_denied(permission: str = "logging.logEntries.list") -> Failure:
    info = _error_info("IAM_PERMISSION_DENIED", permission=permission)
    return Failure("PERMISSION_DENIED", f"Permission '{permission}' denied on resource (or it may not exist).", (info,))


def service_disabled(project: str = "123456789012") -> Failure:
    page = f"https://console.developers.google.com/apis/api/logging.googleapis.com/overview?project={project}"
    message = (
        f"Cloud Logging API has not been used in project {project} before or it is disabled. Enable it by visiting "
        f"{page} then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our "
        "systems and retry."
    )
    link = {"description": "Google developers console API activation", "url": page}
    help_ = {"@type": _TYPES + "Help", "links": [link]}
    return Failure(
        "PERMISSION_DENIED", message, (help_, _error_info("SERVICE_DISABLED", consumer=f"projects/{project}"))
    )


def unknown_project(project: str) -> Failure:
    return Failure("NOT_FOUND", f"Project does not exist: {project}")
