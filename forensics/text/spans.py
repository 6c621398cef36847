"""Several measured values in one phrase: `270–420 MB`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_MEASURED = re.compile(r"(?P<number>\d{1,15}(?:\.\d{1,6})?)(?P<unit> ?[A-Za-z%]{1,8})")


def span_of(values: Sequence[str], *, others: bool = False) -> str | None:
    """Write values with one unit as the range from the least to the greatest; None for what is not measured.

    A number without a unit is no measurement: it may be a port, a status or a line. `others` tells of values that are
    not among these.
    """
    found = [_MEASURED.fullmatch(value) for value in values]
    if len(found) < 2 or None in found or len({match["unit"] for match in found if match}) > 1:  # noqa: PLR2004
        return None
    ordered = sorted((match for match in found if match), key=lambda match: float(match["number"]))
    low, high = ordered[0], ordered[-1]
    return f"{low['number']}–{high['number']}{high['unit']}" + (" (or other values)" if others else "")
