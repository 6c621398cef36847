"""What was read and what was not, as a report tells it."""

from __future__ import annotations

from msgspec import Struct, field

from forensics.model.enums import CutBy, ReadOrder


class Span(Struct, frozen=True, kw_only=True):
    """From – to, RFC 3339; None where open or unknown."""

    from_time: str | None = field(default=None, name="from")
    to_time: str | None = field(default=None, name="to")


class Gap(Struct, frozen=True, kw_only=True):
    """A time without any entry that is long beside the usual distance between entries."""

    from_time: str = field(name="from")
    to_time: str = field(name="to")
    seconds: float


class Sampled(Struct, frozen=True, kw_only=True):
    """A time of which the requests were counted in a sample; those that did not go well are all here."""

    from_time: str = field(name="from")
    to_time: str = field(name="to")
    one_in: int
    """One of so many requests was asked for, chosen by a hash of their ids."""
    listed: int
    """Requests in the sample."""


class Coverage(Struct, frozen=True, kw_only=True):
    """What was really read, and what was cut, missing or unreadable."""

    entries_read: int
    """Entries parsed, and lines passed over."""
    passed_over: int
    """Lines that do not name the revision and were counted only: neither validated nor checked for duplicates."""
    entries_selected: int
    """Entries of the revision."""
    duplicates: int
    errors: int
    """Selected entries of level ERROR or above."""
    analysed: int
    """Selected entries that are errors, matched by a rule, or a piece of one of these."""
    unreadable: int
    first_unreadable: str | None
    no_severity: int
    no_payload: int
    unclassified: int
    """Analysed entries that no rule claims."""
    asked: Span
    covered: Span
    covered_seconds: float | None
    order: ReadOrder
    truncated: bool | None
    """True: something was cut. None: it looks cut, which only who pulled the logs can tell. False: no sign of it."""
    truncation: str | None
    """Why it looks cut."""
    cut: CutBy | None = None
    """What the entries look cut by; None where they do not."""
    sampled: tuple[Sampled, ...] = ()
    """Where requests were counted in a sample."""
    gaps: tuple[Gap, ...]
    logs: dict[str, int]
    """Entries by stream. The streams that Cloud Run writes are always listed, with 0 where absent."""
    levels: dict[str, int]
    warnings: tuple[str, ...]
    """Sentences for a reader: what cannot be told from these entries, and why."""
