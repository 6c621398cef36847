"""Cases: append pages of raw entries with a checkpoint each, and read the entries back as they were received."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from msgspec.structs import replace

from forensics import __version__
from forensics.cases.lock import LOCK, lock
from forensics.cases.manifest import (
    Checkpoint,
    Manifest,
    PullRecord,
    Segment,
    decode_manifest,
    encode_manifest,
)
from forensics.cases.segments import FOLDER, is_small, join, neighbours, next_number, read_segment, write_segment
from forensics.errors import CaseError
from forensics.system.atomic_files import UNFINISHED, sync_folder, unfinished, write_durably
from forensics.text.timestamps import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

    from forensics.model import UnreadSpan

MANIFEST = "manifest.json"
_MOST_SMALL = 200
"""Small segments that the manifest may list before they are joined: it is rewritten with every page."""


class Case:
    """The entries of one or more pulls, stored so that a kill at any moment loses and doubles nothing."""

    def __init__(self, folder: Path, data: bytes, lock_file: BinaryIO | None) -> None:
        self.folder = folder
        self._lock = lock_file
        self._use(decode_manifest(data, str(folder / MANIFEST)), data)

    def _use(self, manifest: Manifest, data: bytes) -> None:
        self.manifest = manifest
        self.sha256 = hashlib.sha256(data).hexdigest()
        """Hash of `manifest.json`; as the manifest holds the hashes of all segments, it identifies the whole case."""

    @classmethod
    def create(cls, folder: Path | str, *, revisions: Sequence[str] = (), notes: Sequence[str] = ()) -> Self:
        """Create an empty case, open for writing; CaseError if the folder is not empty."""
        folder = Path(folder)
        manifest = Manifest(tool_version=__version__, created=_now(), revisions=tuple(revisions), notes=tuple(notes))
        data = encode_manifest(manifest)
        with _one_line_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            _require_empty(folder)  # before a lock is put into a folder of something else
            lock_file = lock(folder)
            try:
                _require_empty(folder)
                (folder / FOLDER).mkdir(exist_ok=True)
                write_durably(folder / MANIFEST, (data,))
                sync_folder(folder.parent)
                return cls(folder, data, lock_file)
            except (OSError, CaseError):
                lock_file.close()
                raise

    @classmethod
    def open(cls, folder: Path | str) -> Self:
        """Open a case for writing, and delete leftovers of a killed pull; CaseError when another process writes it."""
        folder = Path(folder)
        cls.look(folder)  # before a lock is put into a folder that is no case
        with _one_line_errors(folder):
            lock_file = lock(folder)
            try:
                case = cls(folder, _read_manifest(folder), lock_file)
                case._drop_leftovers()
            except (OSError, CaseError):
                lock_file.close()
                raise
            return case

    @classmethod
    def look(cls, folder: Path | str) -> Self:
        """Open a case for reading only; this needs no lock and changes nothing."""
        folder = Path(folder)
        return cls(folder, _read_manifest(folder), None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the lock; nothing can be written afterwards."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of the segments, in order."""
        return tuple(str(self.folder / segment.file) for segment in self.manifest.segments)

    def lines(self, since: int | None = None) -> Iterator[bytes]:
        """Yield the raw entries in the order they were appended; CaseError at a damaged segment.

        With `since` (nanoseconds), segments whose entries are all older are skipped.
        """
        for segment in self.manifest.segments:
            if since is None or segment.last is None or parse_time(segment.last) >= since:
                yield from read_segment(self.folder, segment)

    def begin(self, pull: PullRecord, revisions: Sequence[str] = ()) -> int:
        """Record a new pull and its revisions; return its id. `append` goes to the newest pull by default."""
        return self.begin_all((pull,), revisions)

    def begin_all(self, pulls: Sequence[PullRecord], revisions: Sequence[str] = ()) -> int:
        """Record several new pulls, all or none; return the id of the first."""
        names = tuple(dict.fromkeys((*self.manifest.revisions, *revisions)))
        number = len(self.manifest.pulls) + 1
        self._commit(replace(self.manifest, revisions=names, pulls=(*self.manifest.pulls, *pulls)))
        return number

    def checkpoint(self, pull_id: int) -> Checkpoint:
        """Return how far a pull has come."""
        return self._pull(pull_id).checkpoint

    def note(self, text: str) -> None:
        """Add a sentence for readers of the manifest, unless it is there already."""
        if text not in self.manifest.notes:
            self._commit(replace(self.manifest, notes=(*self.manifest.notes, text)))

    def append(
        self,
        lines: Sequence[bytes],
        checkpoint: Checkpoint,
        pull_id: int | None = None,
        *,
        listed: int = 0,
        to_time: str | None = None,
        suppressed: dict[str, int] | None = None,
        gaps: Sequence[UnreadSpan] = (),
    ) -> None:
        """Store a page: its raw JSON entries and the pull's new checkpoint, both or neither.

        For a sample, `listed` counts its entries, including those that the case held before. For a watch, `to_time` is
        how far it has followed, `suppressed` counts the entries that the tail left out by reason, and `gaps` are the
        spans whose entries may be missing.
        """
        number = len(self.manifest.pulls) if pull_id is None else pull_id
        pull = self._pull(number)
        segments = self.manifest.segments
        if lines:
            with self._writing():
                segments = (*segments, write_segment(self.folder, next_number(segments), lines))
        appended = replace(
            pull,
            checkpoint=checkpoint,
            pages=pull.pages + 1,
            entries=pull.entries + len(lines),
            listed=pull.listed + listed,
            finished=(pull.finished or _now()) if checkpoint.done else None,
            to_time=to_time or pull.to_time,
            suppressed=suppressed or pull.suppressed,
            gaps=tuple(gaps) or pull.gaps,
        )
        pulls = list(self.manifest.pulls)
        pulls[number - 1] = appended
        self._commit(replace(self.manifest, segments=segments, pulls=tuple(pulls)))
        if checkpoint.done or sum(map(is_small, segments)) > _MOST_SMALL:
            self.compact()

    def compact(self) -> None:
        """Join small segments; entries and order stay the same."""
        groups = neighbours(self.manifest.segments)
        if all(len(group) == 1 for group in groups):
            return
        number, joined = next_number(self.manifest.segments), list[Segment]()
        with self._writing():
            for group in groups:
                joined.append(group[0] if len(group) == 1 else join(self.folder, number, group))
                number += 1
        self._commit(replace(self.manifest, segments=tuple(joined)))
        with self._writing():
            self._drop_leftovers()

    def discard(self) -> None:
        """Delete a case without entries, and its folder if nothing else is in it."""
        if self.manifest.entries:
            raise ValueError("a case with entries is not to be deleted")
        with self._writing():
            self._drop_leftovers()
            (self.folder / MANIFEST).unlink()
            self.close()
            (self.folder / LOCK).unlink(missing_ok=True)
            (self.folder / FOLDER).rmdir()
            if not any(self.folder.iterdir()):
                self.folder.rmdir()

    def _pull(self, pull_id: int) -> PullRecord:
        if not 1 <= pull_id <= len(self.manifest.pulls):
            raise ValueError(f"there is no pull {pull_id}: begin one first")
        return self.manifest.pulls[pull_id - 1]

    def _commit(self, manifest: Manifest) -> None:
        data = encode_manifest(manifest)
        with self._writing():
            write_durably(self.folder / MANIFEST, (data,))
        self._use(manifest, data)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        if self._lock is None:
            raise ValueError("the case is not open for writing")
        try:
            with _one_line_errors(self.folder):
                yield
        except CaseError:
            # The disk may be ahead of the manifest in memory: the case must be opened again.
            self.close()
            raise

    def _drop_leftovers(self) -> None:
        """Delete segments that the manifest does not list, left behind by a kill or a join."""
        named = {segment.file for segment in self.manifest.segments}
        (self.folder / FOLDER).mkdir(exist_ok=True)
        for file in (self.folder / FOLDER).iterdir():
            ours = file.name.endswith((".ndjson.zst", f".ndjson.zst{UNFINISHED}"))
            if ours and f"{FOLDER}/{file.name}" not in named:
                file.unlink()


@contextmanager
def _one_line_errors(folder: Path) -> Iterator[None]:
    """Turn errors of the file system into one line for the user."""
    try:
        yield
    except OSError as error:
        raise CaseError(
            f"cannot write the case {str(folder)!r}: {error.strerror or error}; see to space and permissions, "
            "then do it again: what was kept before stays"
        ) from error


def _read_manifest(folder: Path) -> bytes:
    try:
        return (folder / MANIFEST).read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        what = f"holds no {MANIFEST}" if folder.is_dir() else "is no folder"
        raise CaseError(
            f"{str(folder)!r} is no case: it {what}; give the folder of a case, or read exports with --logs"
        ) from error
    except OSError as error:
        raise CaseError(
            f"cannot read the case {str(folder)!r}: {error.strerror or error}; see to its permissions"
        ) from error


def _require_empty(folder: Path) -> None:
    # Leftovers of a creation that was killed are no reason to refuse.
    leftovers = {LOCK, FOLDER, unfinished(folder / MANIFEST).name}
    if any(file.name not in leftovers for file in folder.iterdir()) or any((folder / FOLDER).glob("*")):
        raise CaseError(f"{str(folder)!r} is not empty; name a new folder for the case")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
