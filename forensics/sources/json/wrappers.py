"""Read the entries inside lists and objects that are too large for memory, one by one."""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from forensics.sources.api_keys import ANY_KEYS, OTHER_PAYLOADS, PAYLOADS
from forensics.sources.json.json_values import DEEPEST, NotJsonError, decode_json, entries_in, is_entry
from forensics.sources.json.value_runs import decoded_run
from forensics.sources.json.windows import LONGEST, NeedsMoreError, SlidingWindow
from forensics.sources.line_blocks import too_long

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forensics.sources.containers.utf8 import TextContent

_COMMENTS = re.compile(r"(?:\s*(?:#|//)[^\n]*\n)*\s*")  # a licence, say
_BETWEEN = re.compile(r"[\s,\0\ufeff\x1e]*")
_SPACES = re.compile(r"[ \t\r\n]*")
_KEY = re.compile(r'[ \t\r\n]*"((?:[^"\\]|\\.)*)"[ \t\r\n]*:[ \t\r\n]*')
_CUT_KEY = re.compile(r'"(?:[^"\\]|\\.)*(?:\\|"[ \t\r\n]*)?\Z')
_CLOSING = {"[": "]", "{": "}"}
_KEYS_OF_ENTRIES = ANY_KEYS | {"payload"}
_ANY_PAYLOADS = PAYLOADS | OTHER_PAYLOADS


class Beginning(Enum):
    """The kind of a JSON content, as far as its beginning shows."""

    UNKNOWN = auto()
    ARRAY = auto()
    """A list of entries."""
    WRAPPER = auto()
    """A list or an object around lists of entries, longer than the head."""
    SEVERAL = auto()
    """More than one value, or a broken one."""


def start_of(text: str) -> int:
    """Return where the first value begins, after comments and blanks."""
    comments = _COMMENTS.match(text)
    start = comments.end() if comments else 0
    between = _BETWEEN.match(text, start)
    return between.end() if between else start


def go_to_start(window: SlidingWindow) -> None:
    """Move a window to its first value."""
    window.position = start_of(window.text)
    while not window.text.startswith(("{", "["), window.position) and not window.is_end:
        window.position = 0
        if len(window.data) >= LONGEST or not window.fill(2 * len(window.data)):
            break
        window.position = start_of(window.text)


def beginning_of(content: TextContent) -> Beginning:
    """Return the kind of a content, from its head where that is enough."""
    seen = Beginning.UNKNOWN if content.is_whole else _seen_in(content.head)
    if seen is not Beginning.UNKNOWN:
        return seen
    if content.is_cut:
        return _seen_in(content.everything())
    try:
        decode_json(content.everything())
    except NotJsonError:
        return Beginning.SEVERAL
    return Beginning.UNKNOWN


def _seen_in(data: bytes) -> Beginning:
    window = SlidingWindow([data], is_part=True)
    go_to_start(window)
    wrapper = Wrapper(window)
    try:
        found = next(wrapper.entries(), None)
    except NeedsMoreError:
        return Beginning.UNKNOWN
    except NotJsonError:
        return Beginning.SEVERAL
    if wrapper.is_list_of_entries:
        return Beginning.ARRAY
    if wrapper.is_open and found is not None:
        return Beginning.WRAPPER
    goes_on = window.text[window.position :].strip("\ufeff\0, \t\r\n")
    return Beginning.SEVERAL if goes_on and not wrapper.is_open else Beginning.UNKNOWN


class Wrapper:
    """Lists and objects around entries that are too large to be decoded at once.

    It descends wherever `entries_in` would. When a value turns out to be no JSON, the rest begins at the window's
    position.
    """

    def __init__(self, window: SlidingWindow) -> None:
        self._window = window
        self._open = ""
        """A bracket for each list, and a brace for each object, around the position."""
        self._is_behind_value = False
        self._is_listing = False
        """True inside a list of entries, where every value is returned."""
        self._tries_runs = True

    @property
    def is_open(self) -> bool:
        """True inside a list or an object."""
        return self._open != ""

    @property
    def is_in_array(self) -> bool:
        """True inside exactly one list and nothing else."""
        return self._open == "["

    @property
    def is_list_of_entries(self) -> bool:
        """True when the entries are in exactly one list and nothing else."""
        return self._is_listing and self.is_in_array

    def entries(self) -> Iterator[Any]:
        """Yield the entries that `entries_in` would find in the value at the position; raise NotJsonError."""
        is_first = True
        while is_first or self._open:
            is_first = False
            yield from self._run() or self._whole_step()

    def _run(self) -> list[Any]:
        """Return as many elements of a list of entries as can be decoded at once."""
        if not self._is_listing or not self._tries_runs:
            return []
        values = decoded_run(self._window, in_array=True)
        self._tries_runs = bool(values)
        if values:
            self._is_behind_value = True
            self._window.fill()
        return values

    def _whole_step(self) -> list[Any]:
        """Take one whole step; an incomplete step is undone and repeated in a larger window."""
        while True:
            before = self._window.position, self._open, self._is_behind_value, self._is_listing
            try:
                return self._next_entries()
            except NeedsMoreError as error:
                self._window.position, self._open, self._is_behind_value, self._is_listing = before
                if not self._window.grow():
                    raise NotJsonError(too_long(LONGEST)) from error
                self._tries_runs = True
            except NotJsonError:
                self._window.position, self._open, self._is_behind_value, self._is_listing = before
                raise

    def _next_entries(self) -> list[Any]:
        """Go on to the next value with entries, into a list of them, or to the end."""
        while True:
            self._skip_blanks()
            text, position = self._window.text, self._window.position
            inside = self._open[-1:]
            if inside and text[position] == _CLOSING[inside]:
                self._window.position += 1
                self._open, self._is_behind_value, self._is_listing = self._open[:-1], True, False
                if not self._open:
                    return []
            elif self._is_behind_value:
                self._go_over_comma()
            elif (found := self._value_here()) or self._is_listing:
                return found

    def _skip_blanks(self) -> None:
        window = self._window
        blanks = _SPACES.match(window.text, window.position)
        window.position = blanks.end() if blanks else window.position
        if window.position >= len(window.text):
            if not window.is_end:
                raise NeedsMoreError
            raise NotJsonError(
                window.with_place("Expecting ',' delimiter" if self._is_behind_value else "Expecting value")
            )

    def _go_over_comma(self) -> None:
        if not self._window.text.startswith(",", self._window.position):
            raise NotJsonError(self._window.with_place("Expecting ',' delimiter"))
        self._window.position += 1
        self._is_behind_value = False

    def _go_over_key(self) -> None:
        window = self._window
        key = _KEY.match(window.text, window.position)
        if key is None or (key.end() == len(window.text) and not window.is_end):
            if not window.is_end and (key or _CUT_KEY.match(window.text, window.position)):
                raise NeedsMoreError
            raise NotJsonError(window.with_place("Expecting property name enclosed in double quotes"))
        window.position = key.end()

    def _value_here(self) -> list[Any]:
        """Decode a value, with the key before it, and return its entries; descend into one that is too large."""
        window = self._window
        if self._open.endswith("{"):
            self._go_over_key()
        try:
            value, end = window.decode(window.position)
        except NeedsMoreError:
            if self._is_listing or not self._goes_in(window.position):
                raise
            if len(self._open) >= DEEPEST:  # each level costs a look at the window
                raise NotJsonError(f"nested deeper than {DEEPEST} levels") from None
            self._is_listing = self._tries_runs = self._is_list_of_entries(window.position)
            self._open += window.text[window.position]
            window.position += 1
            return []
        window.position, self._is_behind_value = end, True
        if self._is_listing:
            return [value]
        return (entries_in(value) or []) if isinstance(value, dict | list) else []

    def _goes_in(self, position: int) -> bool:
        """Tell whether to descend into a value: a list, or an object around other values that is no entry."""
        text = self._window.text
        if not text.startswith("{", position):
            return text.startswith("[", position)
        # An entry is never as long as the longest window; what else is there may have the keys of one.
        keys = _ANY_PAYLOADS if len(self._window.data) >= LONGEST else _KEYS_OF_ENTRIES
        while (key := _KEY.match(text, position + 1)) and key[1] not in keys:
            try:
                _, position = self._window.decode(key.end())
            except NeedsMoreError:
                return text.startswith(("[", "{"), key.end())
            blanks = _SPACES.match(text, position)
            position = blanks.end() if blanks else position
        return False

    def _is_list_of_entries(self, position: int) -> bool:
        """Tell whether a list has an entry among its first elements, before any value that wraps entries."""
        text = self._window.text
        if not text.startswith("[", position):
            return False
        position = _skipped(text, position + 1)
        while not text.startswith("]", position):
            try:
                value, position = self._window.decode(position)
            except NeedsMoreError:
                if self._goes_in(position):
                    return False
                raise
            if is_entry(value) or entries_in(value) is not None:
                return is_entry(value)
            position = _skipped(text, position)
        return False


def _skipped(text: str, position: int) -> int:
    between = _BETWEEN.match(text, position)
    return between.end() if between else position
