"""YAML as `gcloud logging read` writes it by default: documents between `---`, or a list."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forensics.sources.formats.element import Element
from forensics.sources.json.json_values import is_entry
from forensics.sources.line_blocks import LONGEST_ENTRY, numbered_lines, too_long

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forensics.sources.containers.utf8 import TextContent

name = "YAML documents between `---`, or a YAML list"

_LONGEST = LONGEST_ENTRY
# Lines without content: blank ones, comments (a licence, say), directives, marks between documents.
_NO_VALUE = re.compile(r"\s*(?:#.*)?|%.*|(?:---|\.\.\.)(?:\s*|\s+#.*)")
_MARK = re.compile(r"---(?:\s|$)")
_ITEM = re.compile(r"-(?:\s|$)")
_KEY = re.compile(r"""(?P<indent>-?\ *) (?P<quote>["']?) (?P<key>\w+) (?P=quote) : (?:\s|$)""", re.VERBOSE)


def accepts(content: TextContent) -> bool:
    """Tell whether the keys at the left edge, or those of list items there, are keys of log entries."""
    lines = (line.decode("utf-8", "replace").rstrip("\r") for line in content.head_lines())
    filled = [line for line in lines if not _NO_VALUE.fullmatch(line)]
    found = [key for line in filled if (key := _KEY.match(line))]
    if not found or found[0].string != filled[0]:
        return False
    if found[0]["key"] == "entries" and len(filled) > 1 and filled[1].lstrip().startswith("- "):
        return True
    indent = len(found[0]["indent"])
    return is_entry({key["key"]: "" for key in found if len(key["indent"]) == indent})


def read(content: TextContent) -> Iterator[Element]:
    """Yield the documents, or the items of a list; a broken one does not affect the others."""
    from forensics.sources.values.yaml_values import NotYamlError, decode_yaml  # noqa: PLC0415 - few logs are YAML

    for number, chunk in _chunks(content):
        if chunk is None:
            yield Element(number=number, problem=too_long(_LONGEST))
            continue
        try:
            values = decode_yaml(chunk)
        except NotYamlError as error:
            yield Element(number=number, problem=f"no YAML: {error} (line {number + error.line})")
            continue
        for value in values:
            for item in value if isinstance(value, list) else [value]:
                yield Element(number=number, value=item)


def _chunks(content: TextContent) -> Iterator[tuple[int, str | None]]:
    """Cut the text into documents, or into list items at the left edge; None for one that is too long."""
    kept: list[str] = []
    start, size = 0, 0
    in_list = False
    for number, line in numbered_lines(content.blocks(), _LONGEST):
        is_mark = line is not None and _MARK.match(line) is not None
        if size and (is_mark or (in_list and line is not None and _ITEM.match(line))):
            yield start, "".join(kept) if size <= _LONGEST else None
            kept, size = [], 0
            in_list = in_list and not is_mark
        if not size:
            if line is not None and _NO_VALUE.fullmatch(line):
                continue
            start = number
            in_list = line is not None and _ITEM.match(line) is not None
        size += _LONGEST + 1 if line is None else len(line) + 1
        if size <= _LONGEST:
            kept.append(f"{line}\n")
        else:
            kept.clear()
    if size:
        yield start, "".join(kept) if size <= _LONGEST else None
