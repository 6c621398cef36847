"""The records of `manifest.json`, and its encoding; a seal at its end detects every changed byte."""

from __future__ import annotations

import hashlib
import re

import msgspec
from msgspec import Struct, field

from forensics.errors import CaseError
from forensics.model import PullPart, UnreadSpan

CASE_SCHEMA = "forensics.case/1"

# The last field is the SHA-256 of all bytes before it: a manifest with a changed byte does not fit its seal.
_SEAL = re.compile(rb',\n  "seal": "([0-9a-f]{64})"\n\}\n\Z')
_END = b"\n}"
# segments/000001.ndjson.zst: a manifest from elsewhere must not lead out of its folder.
_SEGMENT_FILE = re.compile(r"segments/[0-9]{6,12}\.ndjson\.zst")


class Checkpoint(Struct, frozen=True, kw_only=True):
    """How far a pull has come."""

    next_page_token: str | None = None
    last_timestamp: str | None = None
    """As received; where to restart when the token has expired."""
    cursor: str | None = None
    """`pages.Cursor` as JSON, from which the listing continues; opaque here."""
    done: bool = False
    capped: bool = False
    """Done because a limit was reached: the listing has more entries."""


class PullRecord(Struct, frozen=True, kw_only=True):
    """One listing: its query and how far it came; a pull of errors consists of several."""

    filter: str
    """The filter, as it was sent."""
    revision: str = ""
    """The full name of the revision that it is about, or `all`."""
    part: PullPart = PullPart.EVERYTHING
    level: str = ""
    """Minimum level of a pull of errors; empty for a pull of everything."""
    one_in: int = 1
    """For a sample: one in this many requests was selected."""
    group: int = 0
    """The number of the first listing of the same pull, from 1."""
    held: int = 0
    """Number of entries in the case when the pull began."""
    limit: int | None = None
    """Number of entries after which the listing stops."""
    floor: str | None = None
    """How far back the pull may be widened; null when its span is fixed."""
    left_out: int = 0
    """Number of windows around errors that were not requested, because there were too many."""
    seed: int | None = None
    """For controls: the number by which their requests were drawn."""
    drawn: tuple[str, ...] = ()
    """For controls: the timestamps of these requests."""
    stands_for: int = 0
    """For controls: about how many requests one of these stands for."""
    from_time: str | None = field(default=None, name="from")
    """RFC 3339 UTC, inclusive."""
    to_time: str | None = field(default=None, name="to")
    """RFC 3339 UTC, exclusive."""
    project: str = ""
    transport: str = "rest"
    """rest, grpc or grpc tail; gRPC turns numbers in payloads into doubles."""
    watched: bool = False
    """True for a live watch: `to` advances with its entries, and the filter reaches to its latest possible end."""
    suppressed: dict[str, int] = {}
    """Entries that the tail left out, by Google's reason; a listing asked for them afterwards."""
    gaps: tuple[UnreadSpan, ...] = ()
    """The spans that no listing could fill."""
    started: str
    finished: str | None = None
    pages: int = 0
    entries: int = 0
    """Number of entries that it added to the case."""
    listed: int = 0
    """For a sample: the number of all listed entries, known ones included."""
    checkpoint: Checkpoint = Checkpoint()


class Segment(Struct, frozen=True, kw_only=True):
    """One file of entries."""

    file: str
    """Its path relative to the case's folder."""
    entries: int
    bytes: int
    """Size of the packed file."""
    sha256: str
    """Hash of the packed file."""
    first: str | None
    """The earliest timestamp in it, as received; null when no entry has one."""
    last: str | None
    """The latest timestamp, likewise."""


class Manifest(Struct, frozen=True, kw_only=True):
    """The contents and history of a case."""

    schema: str = CASE_SCHEMA
    tool_version: str
    created: str
    revisions: tuple[str, ...] = ()
    """The names that were asked for."""
    pulls: tuple[PullRecord, ...] = ()
    segments: tuple[Segment, ...] = ()
    """In the order in which they were pulled."""
    notes: tuple[str, ...] = ()

    @property
    def entries(self) -> int:
        """The number of entries in all segments."""
        return sum(segment.entries for segment in self.segments)


def encode_manifest(manifest: Manifest) -> bytes:
    """Encode a manifest as indented JSON with its seal."""
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    body = text.removesuffix(_END)
    return body + b',\n  "seal": "' + hashlib.sha256(body).hexdigest().encode() + b'"\n}\n'


def decode_manifest(data: bytes, name: str) -> Manifest:
    """Decode a manifest; CaseError when it is damaged, changed or of another version."""
    try:
        head = msgspec.json.decode(data, type=dict)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CaseError(f"{name}: is not JSON ({error}); {_pull_again()}") from error
    if head.get("schema") != CASE_SCHEMA:
        raise CaseError(f"{name}: its schema is {head.get('schema')!r}, this version reads {CASE_SCHEMA!r}")
    seal = _SEAL.search(data)
    if seal is None or hashlib.sha256(data[: seal.start()]).hexdigest().encode() != seal[1]:
        raise CaseError(f"{name}: has been changed since it was written: it does not fit its seal; {_pull_again()}")
    try:
        manifest = msgspec.convert(head, type=Manifest)
    except msgspec.ValidationError as error:
        raise CaseError(f"{name}: {error}; {_pull_again()}") from error
    _require_good_names(manifest, name)
    return manifest


def _require_good_names(manifest: Manifest, name: str) -> None:
    files = [segment.file for segment in manifest.segments]
    wrong = [file for file in files if not _SEGMENT_FILE.fullmatch(file) or files.count(file) > 1]
    if wrong:
        raise CaseError(f"{name}: {wrong[0]!r} cannot be a segment's file, or is named twice; {_pull_again()}")


def _pull_again() -> str:
    return "restore the case from a copy, or make a new one"
