"""Fill the templates of rules with values of entries. Values are data: never a template, never markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from forensics.log.root_exception import innermost_frame, root_exception
from forensics.model import ChangeState, LogEntry
from forensics.text.plurals import plural
from forensics.text.redact import quote
from forensics.text.spans import span_of

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.sandbox import SandboxedEnvironment

    from forensics.whys.contexts import ClusterContext

_VALUE_LIMIT = 200
_LINE_BREAK = re.compile(r"\r\n?")
_OPENING = re.compile(r"\{[{%#]")
_NAMED = re.compile(r"\{\{ *(?P<name>[a-z_][a-z0-9_]*)(?:\.(?P<part>[a-z][a-z_]*))? *\}\}", re.ASCII)
"""`{{ type_name }}` or `{{ frame.file }}`"""
_JINJAS_OWN = frozenset(
    ("true", "false", "none", "not", "self", "range", "dict", "lipsum", "cycler", "joiner", "namespace")
)
"""Names that are words or globals of Jinja, so that only Jinja can tell what they stand for."""

_PLACEHOLDER = re.compile(r"\b(?:SERVICE|REVISION|REGION|PROJECT|JOB|LAST_GOOD_REVISION)\b")
_NAME = re.compile(r"[a-z0-9][a-z0-9.:-]{0,99}")
"""What Google allows as a name: it needs no quotes in a command, and is no markup in a document."""
_NO_SERVICES = {"cloud_run_job": "JOB", "cloud_function": ""}
"""Kinds of resources whose name is that of no service, with the word that stands for it."""

_OF_A_SERVICE = re.compile(r"\bgcloud run (?:services|revisions) (update|describe) (?:SERVICE|REVISION)\b")
"""Commands that have a twin for jobs, which have no revisions."""

_Piece = str | tuple[str, str | None]
"""Text as it stands, or a name and the part that is asked of it."""


class _OnlyJinjaKnowsError(Exception):
    """The values are not as plain as the template."""


def fill(text: str, values: Mapping[str, Any]) -> str | None:
    """Fill a rule's template; None when the entries lack a value that it names."""
    pieces = _pieces(text)
    if pieces is None:
        return _fill_by_jinja(text, values)
    try:
        return "".join([piece if isinstance(piece, str) else str(_value(*piece, values)) for piece in pieces]).strip()
    except KeyError:
        return None
    except _OnlyJinjaKnowsError:
        return _fill_by_jinja(text, values)


@lru_cache(maxsize=2048)
def _pieces(text: str) -> tuple[_Piece, ...] | None:
    """Take apart a template of text and plain names, as most are; None where it needs Jinja."""
    pieces: list[_Piece] = []
    at = 0
    for opening in _OPENING.finditer(text):
        found = _NAMED.match(text, opening.start())
        if found is None or found["name"] in _JINJAS_OWN:
            return None
        pieces += _LINE_BREAK.sub("\n", text[at : found.start()]), (found["name"], found["part"])
        at = found.end()
    return (*pieces, _LINE_BREAK.sub("\n", text[at:]))


def _value(name: str, part: str | None, values: Mapping[str, Any]) -> Any:
    """Look up what a plain name stands for; KeyError when it stands for nothing."""
    value = values[name]
    if part is None:
        return value
    if type(value) is not dict or hasattr(value, part):
        raise _OnlyJinjaKnowsError
    if value[part] == "":  # a frame without a function: nothing stands there
        raise KeyError(part)
    return value[part]


def _fill_by_jinja(text: str, values: Mapping[str, Any]) -> str | None:
    from jinja2 import UndefinedError  # noqa: PLC0415 - most templates do not need Jinja, which is slow to import

    try:
        return _compile(text).render(values).strip()
    except UndefinedError:
        return None


@lru_cache(maxsize=1)
def _environment() -> SandboxedEnvironment:
    from jinja2 import StrictUndefined  # noqa: PLC0415 - as above
    from jinja2.sandbox import SandboxedEnvironment  # noqa: PLC0415 - as above

    return SandboxedEnvironment(undefined=StrictUndefined, autoescape=False)


@lru_cache(maxsize=2048)
def _compile(text: str) -> Template:
    return _environment().from_string(text)


def template_values(context: ClusterContext) -> dict[str, Any]:
    """Collect what every template of the cluster's rule may name."""
    cluster = context.cluster
    values: dict[str, Any] = {name: _captured(counted) for name, counted in cluster.captures.items() if counted}
    values |= {"entries": cluster.entries, "occurrences": cluster.occurrences, "unit": plural(cluster.unit)}
    values["exception"] = _exception(context)
    values["frame"] = _frame(context)
    return values


def _captured(counted: Sequence[tuple[str, int]]) -> str:
    """Return the most frequent value of a capture; for measured values, their range."""
    told = [value for value, _ in counted if value != "…"]
    return plain(span_of(told, others=len(told) < len(counted)) or counted[0][0])


def name_places(text: str, context: ClusterContext) -> str:
    """Put the names that the entries tell into a rule's commands: SERVICE, REVISION, REGION, PROJECT, JOB.

    LAST_GOOD_REVISION is known where the failure is new against a baseline. What is not known stays as it is.
    """
    if not _PLACEHOLDER.search(text):
        return text
    if _resource_type(context) == "cloud_run_job":
        text = _OF_A_SERVICE.sub(r"gcloud run jobs \1 JOB", text)
    names = _names(context)
    return _PLACEHOLDER.sub(lambda found: names.get(found[0]) or found[0], text)


def _names(context: ClusterContext) -> dict[str, str]:
    table, cluster, comparison = context.run.table, context.cluster, context.run.comparison
    own = [table.label_sets[label_set] for label_set in set(map(table.label_ids.__getitem__, context.rows))]
    near = [label_set for label_set in table.label_sets if label_set.revision == cluster.revision]
    called = _NO_SERVICES.get(_resource_type(context), "SERVICE")
    change = comparison.of(cluster.signature, cluster.fingerprint) if comparison else None
    is_new = change is not None and change.state is ChangeState.NEW
    told = {
        called: _only(label_set.service for label_ids in (own, near) for label_set in label_ids),
        "PROJECT": _only(label_set.project for label_ids in (own, near) for label_set in label_ids),
        "REGION": _only(label_set.location for label_ids in (own, near) for label_set in label_ids),
        "REVISION": cluster.revision,
        "LAST_GOOD_REVISION": comparison.baseline if comparison and is_new else "",
    }
    return {word: name for word, name in told.items() if name != "all" and _NAME.fullmatch(name)}


def _resource_type(context: ClusterContext) -> str:
    resource = representative(context).raw.get("resource")
    return str(resource.get("type", "")) if isinstance(resource, dict) else ""


def _only(names: Iterable[str]) -> str:
    found = {name for name in names if name}
    return found.pop() if len(found) == 1 else ""


def dotted(values: Mapping[str, Any], name: str) -> str | None:
    """Look up a name such as `frame.file` in a template's values."""
    at: Any = values
    for part in name.split("."):
        at = at.get(part) if isinstance(at, Mapping) else None
    return str(at) if at else None


def plain(text: str) -> str:
    """Prepare a value of an entry for a sentence: redacted, short, on one line, without backquotes."""
    return " ".join(quote(text, _VALUE_LIMIT).replace("`", "'").split())


def chain_of(entry: LogEntry) -> list[str]:
    """Return the types of an entry's exceptions without modules, first raised first."""
    return [plain(x.type.rsplit(".", 1)[-1]) for x in entry.exceptions]


def representative(context: ClusterContext) -> LogEntry:
    """Return the cluster's entry that says most."""
    return context.run.table.entry(context.run.members[context.cluster.id].representative)


def _exception(context: ClusterContext) -> dict[str, Any]:
    entry = representative(context)
    root = root_exception(entry)
    if root is None:
        return {}
    return {"type": plain(root.type), "value": plain(root.value.split("\n", 1)[0]), "chain": chain_of(entry)}


def _frame(context: ClusterContext) -> dict[str, Any]:
    frame = innermost_frame(representative(context))
    if frame is None:
        return {}
    # A part that the entry does not tell is not there, so that no sentence is made of it.
    parts = {"file": plain(frame.file), "function": plain(frame.function)}
    values: dict[str, Any] = {name: part for name, part in parts.items() if part}
    values["owner"] = "the application" if frame.in_app else "a library"
    return values | ({"line": frame.line} if frame.line is not None else {})
