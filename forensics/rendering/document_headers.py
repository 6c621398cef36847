"""Find the templates of documents, by the header with which each file of the folder begins.

{# forensics: document for: cluster; name: five-whys/{id}.md #}     one document for each cluster
{# forensics: partial #}                                            a part that other templates include or import
"""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from forensics.errors import TemplateError
from forensics.schema.diagnostics import nearest
from forensics.system.resources import bundled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

_SUFFIX = ".j2"
_HEADER = re.compile(r"\s*\{#[-+]?\s*forensics:(?P<words>.*?)[-+]?#\}", re.DOTALL)
_DOCUMENT = re.compile(r"document\s+for:\s*+(?P<purpose>[\w-]*+)\s*+;\s*+name:\s*+(?P<name>[^\s;]*+)\s*+;?")
_EXAMPLES = "'{# forensics: document for: report; name: FILE.md #}' or '{# forensics: partial #}'"
_FILE = re.compile(r"(?:\w[\w.-]*/)*\w[\w.-]*\.md", re.ASCII)
"""A file below the folder of the documents: no part begins with a dot, none is empty."""
_SAFE = re.compile(r"\w[\w.-]{0,150}", re.ASCII)
_UNSAFE = re.compile(r"[^\w.-]+", re.ASCII)


class Purpose(StrEnum):
    """What a document is made for, in the order in which documents are made."""

    REPORT = "report"
    """One document for each analysis."""
    COMPARISON = "comparison"
    """One for each analysis that compares with a baseline."""
    INCIDENT = "incident"
    """One for each incident."""
    CLUSTER = "cluster"
    """One for each cluster."""
    CYCLE = "cycle"
    """One for each recorded cycle."""
    GATE = "gate"
    """A part of the page that `forensics gate --summary` writes."""


_PLACEHOLDERS = {Purpose.INCIDENT: "{id}", Purpose.CLUSTER: "{id}", Purpose.CYCLE: "{number}"}
"""What the names of documents must hold to differ."""


class Document(NamedTuple):
    """A template with a header, and so a document."""

    template: str
    """The name of the template's file."""
    purpose: Purpose
    name: str
    """The file that is written, with a placeholder where there is one for each of several things."""

    def file(self, word: str = "") -> str:
        """Name the file for one thing by its id or number; neither can become a path."""
        placeholder = _PLACEHOLDERS.get(self.purpose)
        return self.name.replace(placeholder, _safe(word)) if placeholder else self.name


def find_documents(user_templates: Traversable | None) -> tuple[Document, ...]:
    """Find the shipped documents and a user's: a user's file replaces the shipped one of the same name.

    Raises:
        TemplateError: a header says nothing that is understood, or a file without one replaces nothing.
    """
    shipped = {file.name: _read(file) for file in _templates(bundled("templates"))}
    own = {file.name: _read(file, shipped) for file in _templates(user_templates)} if user_templates else {}
    if user_templates:
        _check_suffixes(user_templates, shipped)
    for name in own.keys() & shipped.keys():
        _check_purpose(name, own[name], shipped[name])
    found = [document for document in (shipped | own).values() if document is not None]
    _check_unique(found)
    order = list(Purpose)
    return tuple(sorted(found, key=lambda d: (order.index(d.purpose), d.template not in shipped, d.template)))


def _templates(folder: Traversable) -> Iterator[Traversable]:
    """Yield the templates of a folder; those in folders below it are for being included only."""
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(_SUFFIX) and not file.name.startswith(".") and file.is_file():
            yield file


def _read(file: Traversable, shipped: dict[str, Document | None] | None = None) -> Document | None:
    """Read the header of a template; None for a partial. A file without one takes that of the replaced file."""
    try:
        header = _HEADER.match(file.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(f"template {file.name} cannot be read: {error}; save it as UTF-8") from error
    if header is not None:
        return _parsed(file.name, header["words"].strip())
    if shipped is None or file.name not in shipped:
        raise TemplateError(
            f"template {file.name} has no header and replaces no shipped template{nearest(file.name, shipped or ())}; "
            f"one of your own begins with {_EXAMPLES}"
        )
    return shipped[file.name]


def _parsed(template: str, words: str) -> Document | None:
    if words == "partial":
        return None
    found = _DOCUMENT.fullmatch(words)
    if found is None:
        hint = nearest(words, ("partial",)) or nearest(words.split(" ", 1)[0], ("document",))
        raise TemplateError(f"template {template}: unknown header {words[:40]!r}{hint}; write {_EXAMPLES}")
    known = [purpose.value for purpose in Purpose]
    if found["purpose"] not in known:
        raise TemplateError(
            f"template {template}: unknown 'for: {found['purpose'][:40]}'{nearest(found['purpose'], known)}; "
            f"there are {', '.join(known)}"
        )
    document = Document(template, Purpose(found["purpose"]), found["name"])
    _check_name(document)
    return document


def _check_name(document: Document) -> None:
    """Refuse a name outside the folder, or one without the placeholder that keeps documents apart."""
    where, placeholder = f"template {document.template}", _PLACEHOLDERS.get(document.purpose)
    if placeholder and document.name.count(placeholder) != 1:
        raise TemplateError(
            f"{where}: 'name: {document.name[:60]}' needs {placeholder} once, since there is one document for each "
            f"{document.purpose}"
        )
    if not _FILE.fullmatch(document.file("x")):
        raise TemplateError(
            f"{where}: 'name: {document.name[:60]}' must be a file of Markdown inside the folder of the documents, "
            f"such as notes.md or notes/{placeholder or 'all'}.md"
        )


def _check_suffixes(folder: Traversable, shipped: dict[str, Document | None]) -> None:
    """Refuse a file that is meant for a shipped template but lacks its suffix."""
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        for meant in (f"{file.name}{_SUFFIX}", f"{file.name.removesuffix(_SUFFIX)}.md{_SUFFIX}"):
            if meant in shipped and file.name not in shipped and file.is_file():
                raise TemplateError(f"template {file.name} replaces nothing: rename it to {meant}")


def _check_purpose(template: str, own: Document | None, replaced: Document | None) -> None:
    """Refuse a file with another purpose than the shipped one that it replaces."""
    needed = replaced.purpose if replaced else None
    if (own.purpose if own else None) != needed:
        what = f"is made for: {needed}" if needed else "is a partial"
        raise TemplateError(f"template {template}: the shipped one {what}; keep that, or rename the file")


def _check_unique(documents: list[Document]) -> None:
    first: dict[str, Document] = {}
    for document in documents:
        other = first.setdefault(document.name.casefold(), document)
        if other is not document:
            raise TemplateError(
                f"templates {other.template} and {document.template} both write {document.name}; rename one"
            )


def _safe(word: str) -> str:
    """Return an id as a part of a file's name; ids are plain, unless somebody wrote a report by hand."""
    if _SAFE.fullmatch(word):
        return word
    digest = hashlib.sha256(word.encode("utf-8", "replace")).hexdigest()[:6]
    return f"{_UNSAFE.sub('-', word).strip('.-')[:100]}-{digest}".lstrip("-")
