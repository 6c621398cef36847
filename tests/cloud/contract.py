"""What entries.list asks of a request, as Google documents it, and the errors that answer a breach of it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any

HTTP_CODES = {
    "INVALID_ARGUMENT": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
DEFAULT_PAGE = 50
LARGEST_PAGE = 1000
LONGEST_FILTER = 20_000
MOST_RESOURCES = 100

_RESOURCE = re.compile(
    r"(?:projects|organizations|billingAccounts|folders)/[^/]+(?:/locations/[^/]+/buckets/[^/]+/views/[^/]+)?"
)

Place = tuple[int, str, int]
"""Where an entry stands: nanoseconds, insertId, and the order of arrival for what is equal in both."""


@dataclass(slots=True)
class RefusedError(Exception):
    """An answer that is an error: a google.rpc.Status with details in JSON form."""

    status: str
    message: str
    details: list[dict[str, Any]] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.status}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One request of a page, whichever way it came."""

    resource_names: tuple[str, ...]
    filter: str = ""
    order_by: str = ""
    page_size: int = 0
    page_token: str = ""

    @property
    def newest_first(self) -> bool:
        return self.order_by == "timestamp desc"

    @property
    def length(self) -> int:
        """How many entries the page may hold."""
        return self.page_size or DEFAULT_PAGE


def invalid(message: str) -> RefusedError:
    """An INVALID_ARGUMENT with this message."""
    return RefusedError("INVALID_ARGUMENT", message)


def check_scope(resource_names: tuple[str, ...], filter_text: str) -> None:
    """Refuse what neither a list nor a tail may ask."""
    if not resource_names:
        raise invalid("resource_names: at least one resource name is required")
    if len(resource_names) > MOST_RESOURCES:
        raise invalid(f"resource_names: at most {MOST_RESOURCES} resource names are allowed")
    for name in resource_names:
        if not _RESOURCE.fullmatch(name):
            raise invalid(f"resource_names: {name!r} is no valid resource name")
    if len(filter_text) > LONGEST_FILTER:
        raise invalid(f"filter: longer than {LONGEST_FILTER} characters")


def check_question(question: Question) -> None:
    """Refuse a request of a page that breaks the contract."""
    check_scope(question.resource_names, question.filter)
    if not 0 <= question.page_size <= LARGEST_PAGE:
        raise invalid(f"page_size: must be between 0 and {LARGEST_PAGE}, is {question.page_size}")
    if question.order_by not in {"", "timestamp asc", "timestamp desc"}:
        raise invalid(f"order_by: {question.order_by!r} is neither 'timestamp asc' nor 'timestamp desc'")


def write_token(question: Question, place: Place) -> str:
    """The token of the page that follows the entry at this place."""
    return base64.urlsafe_b64encode(json.dumps([_fingerprint(question), *place]).encode()).decode()


def read_token(question: Question) -> Place | None:
    """The place after which the page starts; None at the start of all."""
    if not question.page_token:
        return None
    try:
        fingerprint, nanoseconds, insert_id, serial = json.loads(
            base64.b64decode(question.page_token, altchars="-_", validate=True)
        )
    except (binascii.Error, ValueError, TypeError):
        raise invalid("page_token is malformed") from None
    if fingerprint != _fingerprint(question):
        raise invalid("page_token doesn't match arguments from the request")
    return (nanoseconds, insert_id, serial)


def _fingerprint(question: Question) -> str:
    parts = [question.filter, question.newest_first, *sorted(question.resource_names)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
