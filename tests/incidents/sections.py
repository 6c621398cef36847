"""Parse a document into sections: headings, lines, and the blocks of code between them."""

from __future__ import annotations

import re
from typing import NamedTuple

_HEADING = re.compile(r"(#{1,3}) \S")
_FENCE = re.compile(r"(`{3,})(\w*)$")
_ADDRESS = re.compile(r"\[`[^`]+`\]: ")


class Block(NamedTuple):
    """A block of code."""

    language: str
    body: str


class Section(NamedTuple):
    """The text below one heading, up to the next of any rank."""

    path: tuple[str, ...]
    """The headings above it and its own, outermost first."""
    lines: list[str]
    """Its own heading first."""
    blocks: list[Block]


class Page(NamedTuple):
    """A document."""

    sections: list[Section]
    addresses: list[str]
    """Where its citations lead, from its foot."""


def parse(text: str) -> Page:
    """Split a document into sections; the text before its title is a section without a heading."""
    page = Page([Section((), [], [])], [])
    lines = iter(text.split("\n"))
    for line in lines:
        fence, heading = _FENCE.match(line), _HEADING.match(line)
        if fence:
            body: list[str] = []
            for inner in lines:
                if inner == fence[1]:
                    break
                body.append(inner)
            page.sections[-1].blocks.append(Block(fence[2], "\n".join(body)))
        elif _ADDRESS.match(line):
            page.addresses.append(line)
        elif heading:
            above = page.sections[-1].path[: len(heading[1]) - 1]
            page.sections.append(Section((*above, line), [line], []))
        else:
            page.sections[-1].lines.append(line)
    return page
