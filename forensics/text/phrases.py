"""Extract the constant words of a message, which queries and proposed rules search for.

Numbers, ids, addresses and redacted values differ from entry to entry; the words between them do not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forensics.model import Cluster

_VARIES = re.compile(r"…|\[redacted[^\]]*\]|<\*>|\b\w+://\S*|(?:(?<![^\s…\]])|(?<=<\*>))\S*\d\S*")
"""… where a citation was cut; [redacted:token]; <*>; https://host/x; req-4711"""
_AROUND = " \t-–:,;=(["
"""Characters that separate words from a value."""
_LETTERS = re.compile(r"[^\W\d_]")
_LOOKED_AT = 2_000
"""Characters of a line in which words are looked for; beyond that it is data."""
ENOUGH = 6
"""Minimum number of letters in a phrase that is worth searching for."""
LONGEST = 160


def fixed_parts(text: str) -> tuple[str, ...]:
    """Split the first line of a text at variable values; return the parts with at least one letter, in order."""
    line = text.strip().split("\n", 1)[0][:_LOOKED_AT]
    parts = (_shortened(part.strip(_AROUND)) for part in _VARIES.split(line))
    return tuple(part for part in parts if _LETTERS.search(part))


def _shortened(part: str) -> str:
    return part if len(part) <= LONGEST else part[:LONGEST].rpartition(" ")[0].strip() or part[:LONGEST]


def letters(text: str) -> int:
    """Count the letters of a text."""
    return len(_LETTERS.findall(text))


def phrase(text: str) -> str:
    """Return the part of a text with the most letters, the earliest of equals; "" when all parts are too short."""
    best = max(fixed_parts(text), key=letters, default="")
    return best if letters(best) >= ENOUGH else ""


def phrases_of(cluster: Cluster) -> tuple[str, ...]:
    """Return phrases such that every cited entry with usable words contains one; the exception's come first."""
    found: list[str] = []
    own = phrase(cluster.exception.value) if cluster.exception else ""
    for part in (own, *(_phrase_of_citation(exemplar.message) for exemplar in cluster.exemplars)):
        if part and not holds_any(part, found):
            found.append(part)
    # A search for words of the exception that no cited entry repeats could not be checked.
    messages = [exemplar.message for exemplar in cluster.exemplars]
    return tuple(part for part in found if any(holds_any(message, [part]) for message in messages))


def holds_any(text: str, wanted: Iterable[str]) -> bool:
    """Tell whether a text contains one of some phrases, ignoring case as Cloud Logging does."""
    folded = text.casefold()
    return any(one.casefold() in folded for one in wanted)


def _phrase_of_citation(message: str) -> str:
    """Return the phrase of a citation; for a shortened traceback, the phrase of its first exception."""
    parts = [part for part in message.split(" … ") if part.strip()]
    return next(filter(None, map(phrase, parts[1:] or parts)), "") or phrase(message)
