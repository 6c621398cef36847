"""A cache of the shipped rules as they were last parsed: parsing 150 YAML files takes a quarter of a second.

The cache lies beside Python's own compiled modules. Where that folder cannot be written there is no cache. It is out of
date, and ignored, as soon as a rule file or a kind of evidence changes its name, size or time.
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
"""To be raised when the records of a rule change their meaning but not their fields."""
_KINDS = Path(__file__).parents[1] / "whys" / "evidence"
"""The modules that read the evidence of rules; to import them would cost more than the cache saves."""


class _CachedRules(msgspec.Struct, frozen=True, array_like=True):
    fingerprint: str
    rules: tuple[Rule, ...]


def kept_rules(files: Sequence[RuleFile]) -> tuple[Rule, ...] | None:
    """Return the cached rules; None when the cache is missing or of other files."""
    fingerprint = _fingerprint(files)
    try:
        found = msgspec.msgpack.decode(_place().read_bytes(), type=_CachedRules)
    except (OSError, msgspec.DecodeError):
        return None
    return found.rules if fingerprint == found.fingerprint else None


def keep_rules(files: Sequence[RuleFile], rules: Sequence[Rule]) -> None:
    """Write the cache, with rules that have no fault; do nothing where it cannot be written."""
    fingerprint = _fingerprint(files)
    if fingerprint is None:
        return
    data = msgspec.msgpack.encode(_CachedRules(fingerprint, tuple(rules)))
    with suppress(OSError):
        write_atomically(_place(), (data,))


def _place() -> Path:
    return Path(cache_from_source(__file__)).with_name("shipped-rules.msgpack")


def _fingerprint(files: Sequence[RuleFile]) -> str | None:
    """Hash name, size and time of the files; None for files inside an archive."""
    shape = msgspec.json.encode([field.encode_name for field in msgspec.structs.fields(Rule)])
    digest = hashlib.sha256(_FORMAT.encode() + msgspec.__version__.encode() + shape)
    for item in files:
        if not isinstance(item.file, Path):
            return None
        digest.update(_stamp(item.source, item.file))
    for file in sorted(_KINDS.glob("*.py")):
        digest.update(_stamp(file.name, file))
    return digest.hexdigest()


def _stamp(name: str, file: Path) -> bytes:
    status = file.stat()
    return f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode()
