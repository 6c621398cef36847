"""Read a project's settings, the defaults of options: forensics.toml, or `[tool.forensics]` of pyproject.toml."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from forensics.errors import UsageError
from forensics.model import Capability, GateThresholds

if TYPE_CHECKING:
    from pathlib import Path


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Defaults that a project sets once; paths are relative to the settings file."""

    logs: tuple[str, ...] = ()
    service: str | None = None
    project: str | None = None
    region: str | None = None
    rules: tuple[str, ...] = ()
    templates: str | None = None
    out: str | None = None
    level: str | None = None
    format: str | None = None
    cycles: str = ".forensics/cycles"
    """Folder of the ledger of the test–deploy loop."""
    impact: dict[str, Capability] = {}
    """Capabilities of the service by name, for the report's impact."""
    gate: GateThresholds = GateThresholds()


def find_settings(start: Path) -> Settings:
    """Read the nearest settings at or above a folder; `forensics.toml` precedes `pyproject.toml` in the same folder."""
    for folder in (start, *start.parents):
        for name, path in (("forensics.toml", ()), ("pyproject.toml", ("tool", "forensics"))):
            file = folder / name
            if file.is_file():
                table = _table(file, path)
                if table is not None:
                    return _relative_to(_convert(table, file), folder, start)
    return Settings()


def _table(file: Path, path: tuple[str, ...]) -> dict[str, Any] | None:
    import tomllib  # noqa: PLC0415 - most folders hold no settings

    try:
        with file.open("rb") as stream:
            table: Any = tomllib.load(stream)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        # A broken pyproject.toml is its owner's affair as long as it need not be ours.
        if path:
            return None
        raise UsageError(f"{file.name}: is not TOML ({error})") from error
    for part in path:
        table = table.get(part) if isinstance(table, dict) else None
    return table if isinstance(table, dict) else None


def _convert(table: dict[str, Any], file: Path) -> Settings:
    unknown = sorted(table.keys() - set(Settings.__struct_fields__))
    if unknown:
        from difflib import get_close_matches  # noqa: PLC0415 - for a slip only

        near = get_close_matches(unknown[0], Settings.__struct_fields__, 1)
        hint = f" (did you mean {near[0]!r}?)" if near else f"; known are {', '.join(Settings.__struct_fields__)}"
        raise UsageError(f"{file.name}: unknown setting {unknown[0]!r}{hint}")
    try:
        return msgspec.convert(table, Settings)
    except msgspec.ValidationError as error:
        raise UsageError(f"{file.name}: {error}") from error


def _relative_to(settings: Settings, folder: Path, start: Path) -> Settings:
    """Make paths relative to the working directory, so that reports do not name a machine's folders."""

    def place(path: str) -> str:
        return path if path == "-" else os.path.relpath(folder / path, start)

    return msgspec.structs.replace(
        settings,
        logs=tuple(place(path) for path in settings.logs),
        rules=tuple(place(path) for path in settings.rules),
        templates=place(settings.templates) if settings.templates else None,
        out=place(settings.out) if settings.out else None,
        cycles=place(settings.cycles),
    )
