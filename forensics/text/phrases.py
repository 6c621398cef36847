"""What an entry said in, its fixed words out: what queries and proposed rules look for.

Numbers, ids, addresses and what was redacted differ from entry to entry; the words between them do not.
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
"""What leads to a value, or away from it."""
_LETTERS = re.compile(r"[^\W\d_]")
_LOOKED_AT = 2_000
"""Characters of a line in which words are looked for; beyond that it is data."""
ENOUGH = 6
"""Letters that make words worth searching for."""
LONGEST = 160


def fixed_parts(text: str) -> tuple[str, ...]:
    """Cut the first line of a text at what varies; parts with a letter at least, in order."""
    line = text.strip().split("\n", 1)[0][:_LOOKED_AT]
    parts = (_shortened(part.strip(_AROUND)) for part in _VARIES.split(line))
    return tuple(part for part in parts if _LETTERS.search(part))


def _shortened(part: str) -> str:
    return part if len(part) <= LONGEST else part[:LONGEST].rpartition(" ")[0].strip() or part[:LONGEST]


def letters(text: str) -> int:
    """Count the letters of a text."""
    return len(_LETTERS.findall(text))


def phrase(text: str) -> str:
    """Return the part of a text with most letters, the earliest of equals; "" where none says enough."""
    best = max(fixed_parts(text), key=letters, default="")
    return best if letters(best) >= ENOUGH else ""


def phrases_of(cluster: Cluster) -> tuple[str, ...]:
    """Return phrases of which every cited entry that says anything holds one; the exception's own words first."""
    found: list[str] = []
    own = phrase(cluster.exception.value) if cluster.exception else ""
    for said in (own, *(_phrase_of_citation(exemplar.message) for exemplar in cluster.exemplars)):
        if said and not holds_any(said, found):
            found.append(said)
    # An exception's words that no cited entry repeats find nothing that can be checked.
    messages = [exemplar.message for exemplar in cluster.exemplars]
    return tuple(said for said in found if any(holds_any(message, [said]) for message in messages))


def holds_any(text: str, wanted: Iterable[str]) -> bool:
    """Tell whether a text holds one of some phrases, as Cloud Logging compares: without regard to case."""
    folded = text.casefold()
    return any(one.casefold() in folded for one in wanted)


def _phrase_of_citation(message: str) -> str:
    """Return the phrase of a citation; of a shortened traceback that of the exception where it began."""
    parts = [part for part in message.split(" … ") if part.strip()]
    return next(filter(None, map(phrase, parts[1:] or parts)), "") or phrase(message)
