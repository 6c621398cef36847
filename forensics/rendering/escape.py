"""Escape text for where it is printed: Markdown prose or code, a CSV cell, a terminal."""

from __future__ import annotations

import re
from functools import lru_cache

from forensics.text.redact import visible

_CODE_SPAN = re.compile(r"`([^`\n]+)`")
_MARKUP = re.compile(r"[\\*\[\]<>|~]|(?<![^\W_])_|_(?![^\W_])|^(?=[#+=-])|!(?=\[)")
_ORDERED = re.compile(r"^(\d+)([.)])(?=\s|$)")
_NO_LABEL = re.compile(r"[^\w .,:/=+–—…-]|--+|==+")
_LABEL = 90
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@lru_cache(1024)
def markdown(text: str) -> str:
    """Escape prose; text between single backquotes becomes code, where nothing is markup."""
    parts = _CODE_SPAN.split(_one_line(text))
    return "".join(code(part) if i % 2 else _prose(part) for i, part in enumerate(parts))


def code(text: str) -> str:
    """Write text as inline code: nothing inside is markup, no address becomes a link, a table's bars stay bars."""
    line = _one_line(text).replace("|", "¦") or " "
    runs = [len(run) for run in re.findall(r"`+", line)]
    fence = "`" * (max(runs) + 1 if runs else 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def csv_cell(text: str) -> str:
    """Prefix what a spreadsheet would take for a formula with an apostrophe."""
    text = visible(text)
    return f"'{text}" if text.startswith(_FORMULA) else text


def terminal(text: str) -> str:
    """Drop what would steer a terminal; one line."""
    return _one_line(text)


def mermaid(text: str) -> str:
    """Write text as a label that stands in double quotes in a Mermaid graph.

    Only letters, digits and a few marks stay: without quotes, brackets, backquotes, `#`, `;`, `%`, `<` and `&` a label
    can neither end, nor hold an entity, a comment, a directive or HTML.
    """
    label = " ".join(_NO_LABEL.sub(" ", _one_line(text)).split())
    return (label if len(label) <= _LABEL else f"{label[: _LABEL - 1].rstrip()}…") or "unknown"


def fence(text: str, language: str = "") -> str:
    """Write text as a block of code that nothing inside can end; control characters are dropped, line breaks stay."""
    body = visible(text).strip("\n")
    runs = [len(run) for run in re.findall(r"`+", body)]
    marks = "`" * max(3, max(runs, default=0) + 1)
    return f"{marks}{language}\n{body}\n{marks}"


def _one_line(text: str) -> str:
    return " ".join(visible(text).split())


def _prose(text: str) -> str:
    text = _MARKUP.sub(lambda found: "\\" + found.group(0), text)
    text = _ORDERED.sub(r"\1\\\2", text)
    # GitHub makes links of bare addresses; a log must not put a link into a report.
    return text.replace("&", "&amp;").replace("://", ":&#47;/").replace("www.", "www&#46;").replace("`", "'")
