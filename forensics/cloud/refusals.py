"""Classify error responses of Cloud Logging, and say what the user can do about each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec
from msgspec import Struct

from forensics.cloud.access_errors import AccessError, BrokenOffError
from forensics.text.timestamps import SECOND, parse_duration

OK = 200
BAD_REQUEST = 400
TOO_MANY_REQUESTS = 429
_PASSING = frozenset({408, 409, 425, TOO_MANY_REQUESTS, 499, 500, 502, 503, 504})
"""Timeouts, ABORTED, quota, CANCELLED, INTERNAL and UNKNOWN, gateways, UNAVAILABLE, DEADLINE_EXCEEDED."""
_PASSING_REASONS = frozenset({"RATE_LIMIT_EXCEEDED", "rateLimitExceeded"})
_RETRY_INFO = "google.rpc.RetryInfo"
_LONGEST_MESSAGE = 300


class HttpAnswer(Struct, frozen=True):
    """One HTTP response, or a gRPC response in the same form."""

    status: int
    headers: Mapping[str, str]
    """Looked up without regard to upper and lower case."""
    body: bytes


class Refusal(Struct, frozen=True, kw_only=True):
    """Why a response holds no entries."""

    status: int
    code: str = ""
    """Google's status code: `PERMISSION_DENIED`."""
    reason: str = ""
    """A more precise code, if there is one: `SERVICE_DISABLED`."""
    message: str = ""
    """The server's message, on one line."""
    wait: float | None = None
    """Seconds after which the server asks for another try."""

    @property
    def is_passing(self) -> bool:
        """True when the same request may succeed later."""
        return self.status in _PASSING or self.reason in _PASSING_REASONS


class _Error(Struct):
    message: str = ""
    status: str = ""
    details: list[dict[str, Any]] = []


class _Body(Struct):
    error: _Error


_DECODER = msgspec.json.Decoder(_Body)


def read_refusal(answer: HttpAnswer) -> Refusal:
    """Read an error response; of a gateway's HTML page only the status is used."""
    try:
        error = _DECODER.decode(answer.body).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        error = _Error()
    reason = next((detail["reason"] for detail in error.details if isinstance(detail.get("reason"), str)), "")
    return Refusal(
        status=answer.status,
        code=one_line(error.status),
        reason=one_line(reason),
        message=one_line(error.message),
        wait=_longest(_retry_info(error.details), _retry_after(answer.headers)),
    )


def one_line(text: str) -> str:
    """Make a server's message fit for a terminal: printable, on one line, cut to a limit."""
    words = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * _LONGEST_MESSAGE]).split())
    return words if len(words) <= _LONGEST_MESSAGE else words[: _LONGEST_MESSAGE - 1] + "…"


def _longest(*waits: float | None) -> float | None:
    return max((wait for wait in waits if wait is not None), default=None)


def _retry_info(details: list[dict[str, Any]]) -> float | None:
    for detail in details:
        delay = detail.get("retryDelay")
        if str(detail.get("@type")).endswith(_RETRY_INFO) and isinstance(delay, str):
            try:
                return parse_duration(delay) / SECOND
            except ValueError:
                return None
    return None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Read seconds or a date; a date counts from the response's own `Date`, not from this computer's clock."""
    text = headers.get("Retry-After", "")
    try:
        seconds = float(text)
    except ValueError:
        seconds = _seconds_between(headers.get("Date", ""), text)
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _seconds_between(start: str, end: str) -> float:
    try:
        return (parsedate_to_datetime(end) - parsedate_to_datetime(start)).total_seconds()
    except (TypeError, ValueError):  # no date, or one with a zone and one without
        return math.nan


def error_of(refusal: Refusal, project: str) -> AccessError:
    """Turn a refusal into the error to raise: a BrokenOffError where another try may succeed."""
    message = explain(refusal, project)
    return BrokenOffError(message, wait=refusal.wait) if refusal.is_passing else AccessError(message)


def explain(refusal: Refusal, project: str) -> str:
    """Say in one line why Cloud Logging refused, ending with the next step."""
    detail = f" ({refusal.message})" if refusal.message else ""
    if refusal.reason == "SERVICE_DISABLED":
        return (
            f"the Cloud Logging API is disabled in project {project!r}: "
            f"gcloud services enable logging.googleapis.com --project {project}"
        )
    if refusal.is_passing:
        return _explain_passing(refusal, detail)
    if refusal.status == 401:  # noqa: PLR2004 - unauthenticated
        return f"Cloud Logging does not know these credentials{detail}: gcloud auth application-default login"
    if refusal.status == 403:  # noqa: PLR2004 - forbidden
        return (
            f"no permission to read the logs of project {project!r}{detail}: ask for roles/logging.viewer "
            "(for private logs roles/logging.privateLogViewer), or check the name with gcloud projects list"
        )
    if refusal.status == 404:  # noqa: PLR2004 - not found
        return f"no project {project!r}{detail}: check the name with gcloud projects list"
    return (
        f"Cloud Logging answered {refusal.status} {refusal.code}".rstrip() + f"{detail}: check --project and --endpoint"
    )


def _explain_passing(refusal: Refusal, detail: str) -> str:
    if refusal.status == TOO_MANY_REQUESTS or refusal.reason in _PASSING_REASONS:
        return (
            f"the read quota of the project stayed exhausted{detail}: lower --requests-per-minute, or try again later"
        )
    return f"Cloud Logging kept answering {refusal.status} {refusal.code}".rstrip() + f"{detail}: try again later"
