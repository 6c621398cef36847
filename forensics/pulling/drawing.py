"""Ask how much a revision logged, and draw requests that went well, with which failures are compared.

Requests are drawn, and not moments: a moment of much traffic holds more requests that might have failed. Those near a
failure stay, since without them every cause looks rarer than it is.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from forensics.cloud.filters import Target, TimeSpan, TimeWindow, answered, everything
from forensics.cloud.pages import PAGE_SIZE, Listing
from forensics.pulling.neighbourhoods import window_around

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forensics.cloud.pages import PageReader
    from forensics.pulling.find_revision import Show

DRAWN = 100
"""Requests that are drawn. With 20, a lift of 3.2 is measured as anything from 1.8 to 6.5; with 100, from 2.4 to 4.4;
with 200 hardly better."""
_EXPECTED = 500
"""Entries in the sample by which their number is estimated, where it is at its limit: the estimate is 5 % right."""
_ENOUGH = 4 * DRAWN
_FIRST_TRY = 1_000
"""One in this many requests is asked for first."""
_TRIES = 6
_PAGES = 3
"""Pages of a sample that are read; a server may send short ones."""


class _Named(Struct):
    insertId: str = ""  # noqa: N815 - the API's own spelling
    timestamp: str = ""


_NAMED = msgspec.json.Decoder(_Named)


class Drawn(Struct, frozen=True, kw_only=True):
    """Requests that went well, drawn from all of them, in the order in which they were drawn."""

    requests: tuple[tuple[str, TimeWindow], ...]
    """Timestamp as received, and the window around each."""
    stands_for: int
    """About how many requests each of them stands for."""
    seed: int


def is_small(reader: PageReader, target: Target, span: TimeSpan, most: int, show: Show) -> bool:
    """Tell whether a revision logged at most `most` entries, by a sample of them."""
    if not most:
        return False
    one_in = max(1, most // _EXPECTED)
    text = everything(target, span, one_in)
    show("how many entries there are", span, text)
    entries, is_all = _some(reader, text)
    return is_all and len(entries) * one_in <= most


def seed_of(target: Target, started: str) -> int:
    """Return a number to draw by: another pull draws others, and the case keeps it."""
    return int.from_bytes(blake2b(f"{target.revision} {started}".encode(), digest_size=4).digest())


def draw(reader: PageReader, target: Target, span: TimeSpan, seed: int, show: Show) -> Drawn | None:
    """Draw requests that went well, each with the same chance; None where there are none.

    A sample that is small enough for a page is asked for, thinner or thicker until it fits, and drawn from by the seed.
    """
    one_in = _FIRST_TRY
    for _ in range(_TRIES):
        text = answered(target, span, one_in)
        show("requests to draw from", span, text)
        entries, is_all = _some(reader, text)
        if is_all and (len(entries) >= DRAWN or one_in == 1):
            return _chosen(entries, one_in, seed, span)
        one_in = max(1, one_in * max(1, len(entries)) // _ENOUGH) if is_all else one_in * 10
    return None


def _some(reader: PageReader, text: str) -> tuple[list[bytes], bool]:
    """Return the entries of about one page, and whether these are all."""
    entries: list[bytes] = []
    for number, page in enumerate(reader.pages(Listing(filter=text)), 1):
        entries += page.entries
        if page.cursor.is_finished:
            return entries, True
        if len(entries) >= PAGE_SIZE or number == _PAGES:
            break
    return entries, False


def _chosen(entries: list[bytes], one_in: int, seed: int, span: TimeSpan) -> Drawn | None:
    order = sorted(_keyed(entries, seed))[:DRAWN]
    requests = [(time, window) for _, time, entry in order if (window := window_around(entry, span)) is not None]
    if not requests:
        return None
    stands_for = max(1, len(entries) * one_in // len(requests))
    return Drawn(requests=tuple(requests), stands_for=stands_for, seed=seed)


def _keyed(entries: list[bytes], seed: int) -> Iterator[tuple[bytes, str, bytes]]:
    """Yield for each request a number that depends on the seed, its timestamp and itself."""
    for entry in entries:
        try:
            named = _NAMED.decode(entry)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        key = f"{seed} {named.timestamp} {named.insertId}".encode(errors="surrogatepass")
        yield blake2b(key, digest_size=8).digest(), named.timestamp, entry
