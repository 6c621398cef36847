"""Screen of `rules explain`: the rules that match an entry and what made them match, as plain text or JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import json
from rich.cells import cell_len, chop_cells

from forensics.rendering.escape import terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from forensics.classify import Explanation
    from forensics.classify.explanation import FailingLeaf, MatchedLeaf, NearMatch, RuleMatch

WIDTH = 80
"""Cells of a line."""


def encode(explanations: Sequence[Explanation]) -> bytes:
    """Encode explanations as an indented JSON array."""
    return json.format(json.encode(explanations), indent=1) + b"\n"


def lines(explanations: Iterable[Explanation]) -> Iterator[str]:
    """Yield the lines of the screen; text from logs and rules cannot steer the terminal."""
    for number, explanation in enumerate(explanations):
        if number:
            yield ""
        yield from _lines(explanation)


def _lines(explanation: Explanation) -> Iterator[str]:
    entry = explanation.entry
    yield from _wrapped(f"{entry.timestamp or '(no timestamp)'} {entry.level} {entry.insert_id or '(no insertId)'}")
    yield from _wrapped(entry.message, "  ")
    if explanation.pieces > 1:
        yield from _wrapped(f"(one message, joined from {explanation.pieces} entries)", "  ")
    yield ""
    yield from _wrapped(_count(len(explanation.matches)))
    for number, match in enumerate(explanation.matches):
        yield from _match_lines(match, is_primary=number == 0)
    if explanation.near:
        yield ""
        yield from _wrapped("Rules that nearly match, the nearest first:")
    for near in explanation.near:
        yield from _near_lines(near)


def _count(matches: int) -> str:
    if not matches:
        return "No rule matches."
    return "1 rule matches:" if matches == 1 else f"{matches} rules match, the primary one first:"


def _match_lines(match: RuleMatch, *, is_primary: bool) -> Iterator[str]:
    yield from _wrapped(_head(match), "  ")
    yield from _wrapped(f"primary: {match.reason}" if is_primary else match.reason, "    ")
    for leaf in match.matched_on:
        yield from _leaf_lines(leaf)
    for name, value in match.captures.items():
        yield from _wrapped(f"captures {name} = {value}", "    ")


def _near_lines(near: NearMatch) -> Iterator[str]:
    yield from _wrapped(_head(near), "  ")
    for leaf in near.failing:
        yield from _failing_lines(leaf)
    for matched in near.matched_on:
        yield from _leaf_lines(matched)


def _head(rule: RuleMatch | NearMatch) -> str:
    return f"{rule.rule} ({rule.role}, {rule.failure_class}, {rule.priority})"


def _leaf_lines(leaf: MatchedLeaf) -> Iterator[str]:
    yield from _wrapped(f"✓ {leaf.leaf}", "    ")
    if leaf.words:
        yield from _wrapped(f"by: {leaf.words}", "      ")


def _failing_lines(leaf: FailingLeaf) -> Iterator[str]:
    yield from _wrapped(f"✗ {'not: ' if leaf.must_be_false else ''}{leaf.leaf}", "    ")
    yield from _wrapped(f"but is: {', '.join(leaf.seen)}" if leaf.seen else "but the field is missing", "      ")


def _wrapped(text: str, indent: str = "") -> Iterator[str]:
    """Yield a text, escaped for the terminal, as lines of at most `WIDTH` cells; continuation lines are indented."""
    line, start = indent, len(indent)
    hang = f"{indent}  "
    for word in terminal(text).split(" "):
        for part in chop_cells(word, WIDTH - len(hang)):
            if len(line) > start and cell_len(line) + 1 + cell_len(part) > WIDTH:
                yield line
                line, start = hang, len(hang)
            line += f" {part}" if len(line) > start else part
    yield line.rstrip()
