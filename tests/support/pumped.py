"""A regular expression in, texts that are long where it repeats something, and do not fit at their end, out."""

from __future__ import annotations

import re
from itertools import islice, product
from re import _constants as c, _parser  # type: ignore[attr-defined]  # nothing else parses as `re` does
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_REPEATS = (c.MAX_REPEAT, c.MIN_REPEAT, c.POSSESSIVE_REPEAT)
_SHORT = 4
"""What is repeated less often than this is not pumped."""
_CHOICES = 4
"""Samples of one part of a pattern that are tried."""
_PALETTE = "a0A .-_/:,;=()[]{}<>\"'\\|@#*+?&%$~^!`\t\r\n\x00\x1béΑ日\u2190"
"""Characters that stand for their like in classes."""
_ENDS = ("", "\x00", "\n\x00", " x\n")


class Pumped(NamedTuple):
    """A text that can be made as long as wanted."""

    begin: str
    body: str
    end: str

    def text(self, length: int) -> str:
        """Write it."""
        return self.begin + self.body * max(1, length // len(self.body)) + self.end


def pumped_for(compiled: re.Pattern[Any]) -> list[Pumped]:
    """List texts that lead to each repetition of a pattern, go on with what it repeats, and end in another way."""
    text = compiled.pattern if isinstance(compiled.pattern, str) else compiled.pattern.decode("latin-1")
    flags = compiled.flags if isinstance(compiled.pattern, str) else compiled.flags | re.ASCII
    parsed = _parser.parse(text, flags & ~re.DEBUG)
    found: dict[Pumped, None] = {}
    for begin, bodies in _repeated(list(parsed), ""):
        for body in bodies:
            found.update(dict.fromkeys(Pumped(begin, body, end) for end in _ENDS if body))
            # What is looked for anywhere begins anew at each of these.
            found.update(
                dict.fromkeys((Pumped("", begin + body, "\x00"), Pumped("", begin + body * 3, ""))) if body else {}
            )
        if begin:
            found[Pumped("", begin, "\x00")] = None
    for whole in islice(_samples(list(parsed)), _CHOICES):
        found.update(dict.fromkeys(Pumped("", part, "\x00") for part in (whole, whole[:-1]) if part))
    return list(found)


def _repeated(items: Sequence[Any], begin: str) -> Iterator[tuple[str, list[str]]]:
    """Yield for each repetition a text that leads to it, and samples of what it repeats."""
    for at, (op, given) in enumerate(items):
        before = begin + _sample(items[:at])
        if op in _REPEATS:
            if given[1] >= _SHORT:
                yield before, _bodies(list(given[2]))
            yield from _repeated(list(given[2]), before)
        for inner in _inner(op, given):
            yield from _repeated(inner, before)


def _inner(op: Any, given: Any) -> Iterator[list[Any]]:
    """Yield the parts that another part is made of, but for a repetition's."""
    if op is c.SUBPATTERN:
        yield list(given[3])
    elif op is c.ATOMIC_GROUP:
        yield list(given)
    elif op is c.BRANCH:
        yield from map(list, given[1])
    elif op in {c.ASSERT, c.ASSERT_NOT}:
        yield list(given[1])


def _bodies(items: list[Any]) -> list[str]:
    """List what may be repeated: one sample after the other, and all of them in turn."""
    one_of = list(dict.fromkeys(islice(_samples(items, wide=True), 16)))
    return [*one_of, "".join(one_of)] if len(one_of) > 1 else one_of


def _sample(items: Sequence[Any]) -> str:
    return next(_samples(items), "")


def _samples(items: Sequence[Any], *, wide: bool = False) -> Iterator[str]:
    """Yield texts that fit parts that follow each other; look-around is taken to hold."""
    choices = [list(islice(_of(op, given, wide=wide), 12 if len(items) == 1 else _CHOICES)) for op, given in items]
    return ("".join(parts) for parts in islice(product(*choices), 64))


def _of(op: Any, given: Any, *, wide: bool) -> Iterator[str]:
    if op is c.IN:
        yield from _members(list(given))
    elif op in _REPEATS:
        least, most, inner = given
        usual = max(least, 1) if most else 0
        for times in dict.fromkeys((usual, least) if wide or not least else (least,)):
            yield from (text * times for text in islice(_samples(list(inner), wide=wide), _CHOICES))
    elif op is c.BRANCH:
        yield from (text for branch in given[1] for text in islice(_samples(list(branch)), 2))
    elif op in {c.SUBPATTERN, c.ATOMIC_GROUP}:
        yield from _samples(list(given[3] if op is c.SUBPATTERN else given), wide=wide)
    else:
        yield from _simple(op, given)


def _simple(op: Any, given: Any) -> Iterator[str]:
    """Yield what fits a single character or a reference; places and look-around take no room."""
    if op is c.LITERAL:
        yield chr(given)
    elif op is c.NOT_LITERAL:
        yield from (each for each in _PALETTE if ord(each) != given)
    elif op is c.ANY:
        yield from "a .0"
    elif op is c.GROUPREF:
        yield from ("", '"', "'")
    else:
        yield ""


def _members(parts: list[Any]) -> Iterator[str]:
    """Yield characters of a class: those of the palette, then the first of each of its ranges."""
    negated = bool(parts) and parts[0][0] is c.NEGATE
    found = [each for each in _PALETTE if any(_holds(op, given, each) for op, given in parts) is not negated]
    firsts = [chr(given if op is c.LITERAL else given[0]) for op, given in parts if op in {c.LITERAL, c.RANGE}]
    yield from dict.fromkeys([*found, *([] if negated else firsts)])


_CATEGORIES = {
    c.CATEGORY_DIGIT: r"\d",
    c.CATEGORY_NOT_DIGIT: r"\D",
    c.CATEGORY_SPACE: r"\s",
    c.CATEGORY_NOT_SPACE: r"\S",
    c.CATEGORY_WORD: r"\w",
    c.CATEGORY_NOT_WORD: r"\W",
}


def _holds(op: Any, given: Any, character: str) -> bool:
    if op is c.LITERAL:
        return bool(ord(character) == given)
    if op is c.RANGE:
        return bool(given[0] <= ord(character) <= given[1])
    return bool(op is c.CATEGORY and re.match(_CATEGORIES[given], character))
