"""JSON objects one after the other, also a document that is cut off or broken in places."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from forensics.sources.api_keys import API_NAMES, ENTRY_KEYS
from forensics.sources.formats.element import Element, RawRun
from forensics.sources.json.json_values import NotJsonError, is_entry
from forensics.sources.json.value_runs import decoded_run
from forensics.sources.json.windows import BLOCK, LONGEST, NeedsMoreError, SlidingWindow
from forensics.sources.json.wrappers import Beginning, beginning_of, go_to_start, start_of
from forensics.sources.line_blocks import too_long

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forensics.sources.containers.utf8 import TextContent

name = "JSON objects one after the other"

_ENTRY_KEY = re.compile("|".join(f'"{key}"' for key in sorted({*ENTRY_KEYS, *API_NAMES})))
# Every failure costs a look at all that came before; an export has one broken place, a hostile file has thousands.
_MOST_FAILURES = 1000

_BETWEEN = re.compile(r"[\s,\0\ufeff\x1e]*")
# Where an element can begin behind a broken one: `[ {`, `}, {`, `},\n{`, or `{` at the start of a line.
_NEXT_OBJECT = re.compile(r"(?:[\[,}]\s*|\n[ \t]*)(?=\{)")


def accepts(content: TextContent) -> bool:
    """Tell whether the content begins like JSON, is not one whole value, and has a key of an entry."""
    text = content.head_text
    names_key = _ENTRY_KEY.search(text) is not None
    if not text.startswith(("{", "["), start_of(text)) or (content.is_whole and not names_key):
        return False
    beginning = beginning_of(content)
    return beginning is Beginning.ARRAY or (beginning is Beginning.SEVERAL and names_key)


def read(content: TextContent) -> Iterator[Element]:
    """Yield one object after the other; a broken stretch is one problem, up to the next entry that can be read."""
    window = SlidingWindow(content.blocks())
    go_to_start(window)
    return from_beginning(window).elements()


def read_raw(content: TextContent) -> Iterator[Element | RawRun]:
    """Yield the same objects, in undecoded runs where possible."""
    window = SlidingWindow(content.blocks())
    go_to_start(window)
    return from_beginning(window).raw_elements()


def from_beginning(window: SlidingWindow) -> Sequence:
    """Return the sequence that begins at the first value; for an array, its elements."""
    in_array = window.text.startswith("[", window.position)
    window.position += in_array
    return Sequence(window, in_array=in_array)


class Sequence:
    """The values from a position on; in an array, up to the array's end."""

    def __init__(self, window: SlidingWindow, *, in_array: bool, number: int = 0, failures: int = 0) -> None:
        self._window = window
        self._in_array = in_array
        self._number = number
        self._failures = failures
        self._is_over = False

    def elements(self) -> Iterator[Element]:
        """Yield all values, decoding well-formed ones many at a time."""
        while not self._is_over:
            first = self._number + 1
            values = self._run(raw=False)
            yield from (Element(number=number, value=value) for number, value in enumerate(values, start=first))
            if not values:
                yield from self._one_by_one()

    def raw_elements(self) -> Iterator[Element | RawRun]:
        """Yield all values, leaving well-formed ones undecoded."""
        while not self._is_over:
            first = self._number + 1
            values = self._run(raw=True)
            if values:
                yield RawRun(number=first, values=values)
            else:
                yield from self._one_by_one()

    def _run(self, *, raw: bool) -> list[Any]:
        values = decoded_run(self._window, in_array=self._in_array, raw=raw)
        self._number += len(values)
        if values:
            self._window.fill()
        return values

    def _one_by_one(self) -> Iterator[Element]:
        """Yield the values in the window one by one, and enlarge the window when it is used up."""
        window = self._window
        while not self._is_over and self._is_at_value():
            try:
                value, window.position = window.decode(window.position)
            except NeedsMoreError:
                if window.grow():
                    return
                yield from self._broken(too_long(LONGEST))
            except NotJsonError as error:
                yield from self._broken(str(error))
            else:
                self._number += 1
                yield Element(number=self._number, value=value)
        if self._is_over and self._in_array and not self._failures and window.position >= len(window.text):
            yield Element(number=self._number + 1, problem="the JSON ends early: the array is not closed")

    def _broken(self, problem: str) -> Iterator[Element]:
        self._number += 1
        yield Element(number=self._number, problem=problem)
        self._go_to_next_entry()

    def _is_at_value(self) -> bool:
        """Go to the next value, and tell whether its beginning is in the window."""
        window = self._window
        between = _BETWEEN.match(window.text, window.position)
        window.position = between.end() if between else window.position
        if window.position < len(window.text):
            self._is_over = self._in_array and window.text.startswith("]", window.position)
            return not self._is_over
        self._is_over = window.is_end
        window.grow()
        return False

    def _go_to_next_entry(self) -> None:
        """Skip broken text up to the next entry that can be decoded, or the end; count the failed attempts."""
        failures = self._failures
        self._failures += 1
        while failures < _MOST_FAILURES and self._go_to_next_object():
            value = self._decoded_here()
            if value is None:
                failures += 1
                self._failures += 1
            elif is_entry(value):
                return
        self._is_over = True
        self._window.position = len(self._window.text)

    def _go_to_next_object(self) -> bool:
        """Go to the next position where an object may begin as an element; False when there is none."""
        window = self._window
        window.position += 1
        while not (found := _NEXT_OBJECT.search(window.text, window.position)):
            if window.is_end:
                return False
            # What a match may begin with: the last sign and the blanks behind it.
            last = len(window.text.rstrip()) - 1
            window.position = max(window.position, last, len(window.text) - BLOCK)
            window.grow()
        window.position = found.end()
        return True

    def _decoded_here(self) -> Any:
        """Decode the object at the position; None when it is broken."""
        while True:
            try:
                return self._window.decode(self._window.position)[0]
            except NeedsMoreError:
                if not self._window.grow():
                    return None
            except NotJsonError:
                return None
