"""The shipped rules as they were read last time: parsing 150 YAML files takes a quarter of a second, this takes none.

They are kept beside Python's own compiled modules: where that folder cannot be written nothing is, a file that does not
fit is ignored, and any change of a rule file (name, size or time) makes it unfit.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from forensics.model import Rule
from forensics.system.atomic_files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.rulebook.folders import RuleFile

_FORMAT = "1"
"""Raised when records of a rule change their meaning but not their shape."""


class _CachedRules(msgspec.Struct, frozen=True, array_like=True):
    fingerprint: str
    rules: tuple[Rule, ...]


def kept_rules(files: Sequence[RuleFile]) -> tuple[Rule, ...] | None:
    """Return the rules of these very files, None when they are not kept."""
    fingerprint = _fingerprint(files)
    try:
        found = msgspec.msgpack.decode(_place().read_bytes(), type=_CachedRules)
    except (OSError, msgspec.DecodeError):
        return None
    return found.rules if fingerprint == found.fingerprint else None


def keep_rules(files: Sequence[RuleFile], rules: Sequence[Rule]) -> None:
    """Keep rules that were read without a fault; where nothing can be written, nothing is."""
    fingerprint = _fingerprint(files)
    if fingerprint is None:
        return
    data = msgspec.msgpack.encode(_CachedRules(fingerprint, tuple(rules)))
    with suppress(OSError):
        write_atomically(_place(), (data,))


def _place() -> Path:
    return Path(cache_from_source(__file__)).with_name("shipped-rules.msgpack")


def _fingerprint(files: Sequence[RuleFile]) -> str | None:
    """Identify the files by name, size and time; None for files inside an archive."""
    shape = msgspec.json.encode([field.encode_name for field in msgspec.structs.fields(Rule)])
    digest = hashlib.sha256(_FORMAT.encode() + msgspec.__version__.encode() + shape)
    for item in files:
        if not isinstance(item.file, Path):
            return None
        status = item.file.stat()
        digest.update(f"{item.source}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
