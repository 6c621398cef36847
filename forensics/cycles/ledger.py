"""Read and write the ledger: a folder with one JSON file per cycle, made to be committed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from forensics.errors import LedgerError
from forensics.model import CYCLE_SCHEMA, Cycle
from forensics.system.atomic_files import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

_NAME = re.compile(r"\d{4,}-.*\.json")
"""0003-netra-backend-staging-00180-jkl.json"""
_ENCODER = msgspec.json.Encoder(order="deterministic")


def encode_cycle(cycle: Cycle) -> bytes:
    """Encode a cycle as indented JSON: fields in the order of the schema, keys sorted, with a final line break."""
    return msgspec.json.format(_ENCODER.encode(cycle), indent=1) + b"\n"


def read_ledger(folder: Path) -> tuple[Cycle, ...]:
    """Read all cycles of a folder, ordered by number; none if the folder does not exist.

    Raises:
        LedgerError: a file is no cycle, or two files have the same number.
    """
    try:
        files = sorted(file for file in folder.iterdir() if _NAME.fullmatch(file.name)) if folder.is_dir() else []
        cycles = [_decode(file.read_bytes(), file.name) for file in files]
    except OSError as error:
        raise LedgerError(
            f"the ledger {str(folder)!r} cannot be read: {error.strerror}; name one with --ledger"
        ) from error
    by_number: dict[int, str] = {}
    for file, cycle in zip(files, cycles, strict=True):
        other = by_number.setdefault(cycle.number, file.name)
        if other != file.name:
            raise LedgerError(
                f"{other} and {file.name} both say that they are cycle {cycle.number}; "
                "delete one of them and record its revision again"
            )
    return tuple(sorted(cycles, key=lambda cycle: cycle.number))


def write_cycle(folder: Path, cycle: Cycle) -> Path:
    """Write a cycle atomically, replacing one of the same number and revision; return its file.

    Raises:
        LedgerError: the folder cannot be written.
    """
    file = folder / file_name(cycle)
    try:
        write_atomically(file, (encode_cycle(cycle),))
    except OSError as error:
        raise LedgerError(f"cannot write to {str(folder)!r}: {error.strerror}; name another --ledger") from error
    return file


def file_name(cycle: Cycle) -> str:
    """Return the name of a cycle's file; a revision name from a log is never used as a path."""
    name = re.sub(r"[^A-Za-z0-9._-]", "_", cycle.revision.name).lstrip(".") or "revision"
    return f"{cycle.number:04d}-{name[:120]}.json"


def _decode(data: bytes, name: str) -> Cycle:
    try:
        head = msgspec.json.decode(data, type=dict)
        if head.get("schema") != CYCLE_SCHEMA:
            raise LedgerError(
                f"{name}: its schema is {head.get('schema')!r}, this version reads {CYCLE_SCHEMA!r}; "
                "record its revision again"
            )
        return msgspec.convert(head, type=Cycle)
    except msgspec.MsgspecError as error:
        raise LedgerError(f"{name}: is no cycle ({error}); restore it, or delete it and record again") from error
