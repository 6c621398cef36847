"""Templates of rules and values of entries in, sentences out. Values are data: never a template, never markup."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, Template, UndefinedError
from jinja2.sandbox import SandboxedEnvironment

from forensics.exceptions import innermost_frame, root_exception
from forensics.model import Cluster, LogEntry, OccurrenceUnit
from forensics.redact import quote

if TYPE_CHECKING:
    from forensics.whys.scene import Scene

_VALUE_LIMIT = 200
_PLURALS = {
    OccurrenceUnit.LIFE: "instance lives",
    OccurrenceUnit.REQUEST: "requests",
    OccurrenceUnit.SESSION: "sessions",
    OccurrenceUnit.BURST: "bursts",
}


@lru_cache(maxsize=1)
def _environment() -> SandboxedEnvironment:
    return SandboxedEnvironment(undefined=StrictUndefined, autoescape=False)


@lru_cache(maxsize=2048)
def _compile(text: str) -> Template:
    return _environment().from_string(text)


def fill(text: str, values: Mapping[str, Any]) -> str | None:
    """Fill a rule's template; None when the entries lack a value that it names."""
    try:
        return _compile(text).render(values).strip()
    except UndefinedError:
        return None


def context(scene: Scene) -> dict[str, Any]:
    """Collect what every template of the cluster's rule may name."""
    cluster = scene.cluster
    values: dict[str, Any] = {name: plain(counted[0][0]) for name, counted in cluster.captures.items() if counted}
    values |= {"entries": cluster.entries, "occurrences": cluster.occurrences, "unit": units(cluster)}
    values["exception"] = _exception(scene)
    values["frame"] = _frame(scene)
    return values


def dotted(values: Mapping[str, Any], name: str) -> str | None:
    """Look up a name such as `frame.file` in a template's values."""
    at: Any = values
    for part in name.split("."):
        at = at.get(part) if isinstance(at, Mapping) else None
    return str(at) if at else None


def units(cluster: Cluster, count: int = 2) -> str:
    """Name what the cluster's occurrences are: `instance lives`."""
    return cluster.unit.value if count == 1 else _PLURALS[cluster.unit]


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return `1 entry`, `1,200 entries`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def plain(text: str) -> str:
    """Prepare a value of an entry for a sentence: redacted, short, on one line, without backquotes."""
    return " ".join(quote(text, _VALUE_LIMIT).replace("`", "'").split())


def chain_of(entry: LogEntry) -> list[str]:
    """Return the types of an entry's exceptions without modules, first raised first."""
    return [plain(x.type.rsplit(".", 1)[-1]) for x in entry.exceptions]


def speaker(scene: Scene) -> LogEntry:
    """Return the cluster's entry that says most."""
    return scene.stage.members[scene.cluster.id].speaker


def _exception(scene: Scene) -> dict[str, Any]:
    entry = speaker(scene)
    root = root_exception(entry)
    if root is None:
        return {}
    return {"type": plain(root.type), "value": plain(root.value.split("\n", 1)[0]), "chain": chain_of(entry)}


def _frame(scene: Scene) -> dict[str, Any]:
    frame = innermost_frame(speaker(scene))
    if frame is None:
        return {}
    values: dict[str, Any] = {"file": plain(frame.file), "function": plain(frame.function)}
    return values | ({"line": frame.line} if frame.line is not None else {})
