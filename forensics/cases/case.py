"""A folder in, a case out: pages of raw entries go in with a checkpoint each, and come out as they were received."""

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
"""Small segments that may stand in the manifest: it is written anew with every page."""


class Case:
    """The entries of one or more pulls, kept so that a kill at any moment loses and doubles nothing."""

    def __init__(self, folder: Path, data: bytes, lock_file: BinaryIO | None) -> None:
        self.folder = folder
        self._lock = lock_file
        self._use(decode_manifest(data, str(folder / MANIFEST)), data)

    def _use(self, manifest: Manifest, data: bytes) -> None:
        self.manifest = manifest
        self.sha256 = hashlib.sha256(data).hexdigest()
        """Of `manifest.json`; as the manifest holds the hashes of all segments, it speaks for the whole case."""

    @classmethod
    def create(cls, folder: Path | str, *, revisions: Sequence[str] = (), notes: Sequence[str] = ()) -> Self:
        """Make an empty case, open for writing; CaseError where there is something already."""
        folder = Path(folder)
        manifest = Manifest(tool_version=__version__, created=_now(), revisions=tuple(revisions), notes=tuple(notes))
        data = encode_manifest(manifest)
        with _telling(folder):
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
        """Open a case for writing, and drop what a killed pull left unfinished; CaseError when another writes it."""
        folder = Path(folder)
        cls.look(folder)  # before a lock is put into a folder that is no case
        with _telling(folder):
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
        """Open a case for reading only, which needs no lock and changes nothing."""
        folder = Path(folder)
        return cls(folder, _read_manifest(folder), None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the lock; nothing can be written any more."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def paths(self) -> tuple[str, ...]:
        """The files of the segments, in order."""
        return tuple(str(self.folder / segment.file) for segment in self.manifest.segments)

    def lines(self, since: int | None = None) -> Iterator[bytes]:
        """Yield the raw entries in the order they were appended; CaseError at a segment that is damaged.

        With `since` (nanoseconds), segments whose entries are all older are left out.
        """
        for segment in self.manifest.segments:
            if since is None or segment.last is None or parse_time(segment.last) >= since:
                yield from read_segment(self.folder, segment)

    def begin(self, pull: PullRecord, revisions: Sequence[str] = ()) -> int:
        """Note a new pull, and for which revisions; return its id. `append` goes to the newest pull by default."""
        return self.begin_all((pull,), revisions)

    def begin_all(self, pulls: Sequence[PullRecord], revisions: Sequence[str] = ()) -> int:
        """Note several new pulls, all or none; return the id of the first."""
        asked = tuple(dict.fromkeys((*self.manifest.revisions, *revisions)))
        number = len(self.manifest.pulls) + 1
        self._commit(replace(self.manifest, revisions=asked, pulls=(*self.manifest.pulls, *pulls)))
        return number

    def checkpoint(self, pull_id: int) -> Checkpoint:
        """Tell how far a pull has come."""
        return self._pull(pull_id).checkpoint

    def note(self, text: str) -> None:
        """Add a sentence for whoever reads the manifest; the same one is added once."""
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
        """Keep a page: its raw JSON entries and how far the pull has come, both or neither.

        A sample also says how many entries were `listed`, those included that the case held before. A watch also says
        up to when it has followed, how much was left out, and what it missed.
        """
        number = len(self.manifest.pulls) if pull_id is None else pull_id
        pull = self._pull(number)
        segments = self.manifest.segments
        if lines:
            with self._writing():
                segments = (*segments, write_segment(self.folder, next_number(segments), lines))
        come_to = replace(
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
        pulls[number - 1] = come_to
        self._commit(replace(self.manifest, segments=segments, pulls=tuple(pulls)))
        if checkpoint.done or sum(map(is_small, segments)) > _MOST_SMALL:
            self.compact()

    def compact(self) -> None:
        """Join small segments; the entries and their order stay."""
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
        """Delete a case that holds no entry yet, and its folder when nothing else is in it."""
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
            with _telling(self.folder):
                yield
        except CaseError:
            # What lies on the disk may be ahead of what is in memory: only opening it again tells.
            self.close()
            raise

    def _drop_leftovers(self) -> None:
        """Delete segments that the manifest does not name, which a kill or a join left behind."""
        named = {segment.file for segment in self.manifest.segments}
        (self.folder / FOLDER).mkdir(exist_ok=True)
        for file in (self.folder / FOLDER).iterdir():
            ours = file.name.endswith((".ndjson.zst", f".ndjson.zst{UNFINISHED}"))
            if ours and f"{FOLDER}/{file.name}" not in named:
                file.unlink()


@contextmanager
def _telling(folder: Path) -> Iterator[None]:
    """Turn what the disk refuses into one line."""
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
    # What a kill between the first steps leaves is no reason to refuse.
    begun = {LOCK, FOLDER, unfinished(folder / MANIFEST).name}
    if any(file.name not in begun for file in folder.iterdir()) or any((folder / FOLDER).glob("*")):
        raise CaseError(f"{str(folder)!r} is not empty; name a new folder for the case")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
