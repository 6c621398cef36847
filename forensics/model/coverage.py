"""What was read and what is missing, as a report contains it."""

from __future__ import annotations

from msgspec import Struct, field

from forensics.model.enums import CutBy, Level, ReadOrder


class Span(Struct, frozen=True, kw_only=True):
    """A span of time in RFC 3339; None for an end that is open or unknown."""

    from_time: str | None = field(default=None, name="from")
    to_time: str | None = field(default=None, name="to")


class Gap(Struct, frozen=True, kw_only=True):
    """A period without entries that is long compared with the usual distance between entries."""

    from_time: str = field(name="from")
    to_time: str = field(name="to")
    seconds: float


class Sampled(Struct, frozen=True, kw_only=True):
    """A period whose successful requests were sampled; failed ones are complete."""

    from_time: str = field(name="from")
    to_time: str = field(name="to")
    one_in: int
    """The sampling rate: one of this many requests was pulled, chosen by a hash of its id."""
    listed: int
    """Number of requests in the sample."""


class Coverage(Struct, frozen=True, kw_only=True):
    """What was read, and what was cut, missing or unreadable."""

    entries_read: int
    """Number of parsed entries plus lines passed over."""
    passed_over: int
    """Lines without the revision's name, which were only counted: not validated, not checked for duplicates."""
    entries_selected: int
    """Number of entries of the revision."""
    duplicates: int
    errors: int
    """Number of selected entries of level ERROR or above."""
    analysed: int
    """Number of selected entries that are errors, match a rule, or are pieces of such an entry."""
    unreadable: int
    first_unreadable: str | None
    no_severity: int
    no_payload: int
    unclassified: int
    """Number of analysed entries without a rule."""
    asked: Span
    covered: Span
    covered_seconds: float | None
    order: ReadOrder
    truncated: bool | None
    """True when entries are known to be cut off, None when it looks so, False when there is no sign of it."""
    truncation: str | None
    """Why the entries look cut, as a sentence."""
    cut: CutBy | None = None
    """What the entries look cut by; None where they do not."""
    sampled: tuple[Sampled, ...] = ()
    """Periods whose successful requests were sampled."""
    whole_from: Level | None = None
    """Below this level, entries of the application are here only around failures and around requests that were drawn
    from those that went well; None: those of every level are here."""
    gaps: tuple[Gap, ...]
    logs: dict[str, int]
    """Number of entries by stream. The streams that Cloud Run writes are always listed, with 0 when absent."""
    levels: dict[str, int]
    warnings: tuple[str, ...]
    """Sentences for the reader about what these entries cannot show, and why."""
