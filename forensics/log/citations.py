"""Cite log entries, so that the reader of a document can find them again."""

from __future__ import annotations

from urllib.parse import quote as percent

from forensics.log.root_exception import root_exception
from forensics.model import EntryRef, ExceptionInfo, LogEntry
from forensics.text.redact import quote

NO_PAYLOAD = "(no payload)"


def cite(entry: LogEntry, limit: int = 300) -> EntryRef:
    """Cite an entry: identity, level, redacted and shortened message, console link.

    For a stitched entry the piece with the root exception is cited.
    """
    piece = _decisive(entry)
    return EntryRef(
        insert_id=quote(piece.insert_id, 64),
        timestamp=quote(piece.timestamp, 40),
        log_name=quote(piece.log_name, 200),
        level=piece.level,
        severity=piece.severity,
        message=_words(entry, limit) if entry.has_payload else NO_PAYLOAD,
        url=console_url(piece),
    )


def _decisive(entry: LogEntry) -> LogEntry:
    root = root_exception(entry)
    if root is None or not entry.pieces:
        return entry
    words = root.value.split("\n", 1)[0] or root.type
    return next((piece for piece in entry.pieces if words in piece.message), entry.pieces[0])


def _words(entry: LogEntry, limit: int) -> str:
    """Quote a message; a traceback is reduced to its first line, its first and its last exception."""
    root = root_exception(entry)
    first = entry.message.lstrip().split("\n", 1)[0]
    if root is None or root.type in first or "\n" not in entry.message.strip():
        return quote(entry.message, limit)
    last = entry.exceptions[-1]
    parts = [quote(first, limit // 3), _quoted(root)] + ([_quoted(last)] if last != root else [])
    return quote(" … ".join(parts), limit)


def _quoted(exception: ExceptionInfo) -> str:
    value = exception.value.split("\n", 1)[0]
    return f"{exception.type}: {value}" if value else exception.type


def console_url(entry: LogEntry) -> str:
    """Return the link to the entry in the Logs Explorer, "" when project or insertId is unknown."""
    project = project_of(entry)
    if not project or not entry.insert_id:
        return ""
    query = f'insertId="{entry.insert_id}"\ntimestamp="{entry.timestamp}"'
    escaped, where = percent(query, safe=""), percent(project, safe="")
    return f"https://console.cloud.google.com/logs/query;query={escaped}?project={where}"


def project_of(entry: LogEntry) -> str:
    """Return the project id from the resource or the log name, "" when neither has it."""
    resource = entry.raw.get("resource")
    labels = resource.get("labels") if isinstance(resource, dict) else None
    project = labels.get("project_id") if isinstance(labels, dict) else None
    if isinstance(project, str) and project:
        return project
    parts = entry.log_name.split("/")
    return parts[1] if len(parts) > 2 and parts[0] == "projects" else ""  # noqa: PLR2004 - projects/P/logs/L
