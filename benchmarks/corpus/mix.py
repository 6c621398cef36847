"""Mix the entries of a log, odd lines included, and count each entry in a tally.

Odd lines have fixed positions in every round of entries, so that even a small log contains each kind of them.
"""

from __future__ import annotations

import random
from collections import deque
from functools import lru_cache
from itertools import accumulate
from time import gmtime, strftime
from typing import TYPE_CHECKING

from corpus.shapes import ARRAY, LINES, make_shapes
from corpus.tally import Tally
from corpus.templates import LONG

if TYPE_CHECKING:
    from collections.abc import Iterator

    from corpus.shapes import Shape

SECOND = 1_000_000_000
START = 1_772_409_600 * SECOND  # 2026-03-02T00:00:00Z
SPAN = 24 * 3600 * SECOND
"""Every log covers a day, whatever its size."""
_UNITS = {0: SECOND, 3: 1_000_000, 6: 1_000, 9: 1}
"""Nanoseconds of the last digit."""

_ROUND = 1499
_PLACES = {
    11: "keep",
    37: "blank",
    101: "crlf",
    211: "again",
    307: "noise",
    401: "crlf",
    503: "cut",
    607: "late",
    701: "long",
    # Four in a row are on four instances, and so spelled in four ways.
    809: "escaped",
    810: "escaped",
    811: "escaped",
    812: "escaped",
    997: "crlf",
}
_OF_LINES = {"blank", "crlf", "noise", "cut"}
_LEFT_OUT = {"array": _OF_LINES, "clean": _OF_LINES - {"crlf"}}
"""What would break an array, and what strict readers of lines refuse."""
_LONG_EVERY = 16
"""Rounds from one long line to the next."""
_KEPT = 40
"""Lines that wait to be repeated: a late duplicate lies that many rounds behind its original."""
_NOISE = (
    b"-- more --",
    b"Listing entries of orders-api-00042-kud ... done",
    b'{"severity": ERROR, "revision_name": orders-api-00042-kud}',
)
_BATCH = 1024
_GUESS = 1190
"""Bytes of an entry; only the distance in time between entries hangs on it."""


class Mix:
    """Generates one log, in order of time; an array is newest first, as `gcloud` prints it."""

    def __init__(self, kind: str, size: int, seed: int) -> None:
        self._is_array = kind == "array"
        self._places = {at: slow_path for at, slow_path in _PLACES.items() if slow_path not in _LEFT_OUT.get(kind, ())}
        self._shapes = make_shapes(ARRAY if self._is_array else LINES, only_errors=kind == "all-errors")
        self._size = size
        self._step = SPAN * _GUESS // size
        self._random = random.Random(seed)
        self.tally = Tally(self._shapes)
        self._kept: deque[tuple[Shape, int, bytes]] = deque(maxlen=_KEPT)
        spellings = len(ARRAY if self._is_array else LINES)
        self._extras = {
            "long": [shape for shape in self._shapes if shape.template is LONG],
            "escaped": [shape for shape in self._shapes[spellings - 1 :: spellings] if shape.is_asked],
        }

    def texts(self) -> Iterator[bytes]:
        """Yield the texts between the separators, until the size is reached."""
        written = 0
        for number, shape in enumerate(self._chosen()):
            place = self._places.get(number % _ROUND)
            time, text = self._entry(number, shape)
            if place is None:
                yield text
                written += len(text) + 1
            else:
                for slow_path in self._odd(place, number, shape, time, text):
                    yield slow_path
                    written += len(slow_path) + 1
            if written >= self._size:
                return

    def _chosen(self) -> Iterator[Shape]:
        shares = list(accumulate(shape.weight for shape in self._shapes))
        while True:
            yield from self._random.choices(self._shapes, cum_weights=shares, k=_BATCH)

    def _entry(self, number: int, shape: Shape, extra: int = 0) -> tuple[int, bytes]:
        """Fill an entry and count it."""
        time = self._time(number, shape)
        self.tally.add(shape, time)
        return time, self._filled(number, shape, extra)

    def _logged(self, number: int) -> int:
        """Return when the entry with this number was logged, in nanoseconds."""
        at = number * self._step + number * 2_654_435_761 % self._step
        return START + (SPAN - at if self._is_array else at)

    def _time(self, number: int, shape: Shape) -> int:
        """Return the timestamp, with the digits of the shape; for a request it is the start."""
        time = self._logged(number) - shape.template.latency
        return time - time % _UNITS[shape.digits]

    def _filled(self, number: int, shape: Shape, extra: int = 0) -> bytes:
        logged = self._logged(number)
        seconds, fraction = divmod(logged, SECOND)
        # An extra entry shares its time with the one before it, and nothing else of the id.
        unique = (number * 2_654_435_761 + extra) & 0xFFFFFFFF
        start, rest = divmod(logged - shape.template.latency, SECOND)
        point = b"." if shape.digits else b""
        return shape.line % {
            b"id": b"%08x%08x%08x" % (seconds, fraction // 1000, unique),
            b"time": _second(start) + point + (b"%09d" % rest)[: shape.digits] + b"Z",
            b"received": _second(seconds) + b".%09dZ" % fraction,
            b"span": b"%08x%08x" % (unique, number),
            b"number": b"%d" % (number * 7919 % 1_000_003),
        }

    def _odd(self, place: str, number: int, shape: Shape, time: int, text: bytes) -> Iterator[bytes]:
        """Yield the entry at this position, and the odd lines beside it."""
        if place in _OF_LINES:
            yield from self._odd_lines(place, number, text)
            return
        yield text
        if place == "keep":
            self._kept.append((shape, time, text))
        elif place == "again":  # the same entry as another tool would have exported it
            self.tally.repeat(shape, time)
            yield self._filled(number, self._shapes[shape.twin])
        elif place == "late" and self._kept:
            old_shape, old_time, old_text = self._kept[0]
            self.tally.repeat(old_shape, old_time)
            yield old_text
        elif place == "escaped" or (place == "long" and number // _ROUND % _LONG_EVERY == 0):
            extras = self._extras[place]
            yield self._entry(number, extras[number % len(extras)], extra=1)[1]

    def _odd_lines(self, place: str, number: int, text: bytes) -> Iterator[bytes]:
        yield text + b"\r" if place == "crlf" else text
        if place == "blank":
            yield b" " * (number % 3)
        elif place == "noise":
            self.tally.unreadable += 1
            yield _NOISE[number % len(_NOISE)]
        elif place == "cut":  # a pull that died: what was written of the next entry
            self.tally.unreadable += 1
            shape = self._shapes[number % len(self._shapes)]
            whole = self._filled(number, shape)
            yield whole[: (len(whole) // 2, len(whole) * 3 // 4, len(whole) - 1)[number % 3]]


@lru_cache(maxsize=4096)
def _second(seconds: int) -> bytes:
    return strftime("%Y-%m-%dT%H:%M:%S", gmtime(seconds)).encode()
