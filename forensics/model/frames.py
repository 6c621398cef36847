"""Turn rows into a data frame or HTML for notebooks; the only module that uses pandas."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

Row = dict[str, Any]
"""Column → value; the rows of a table have the same columns in the same order."""


def to_frame(rows: Sequence[Row], columns: Iterable[str]) -> pd.DataFrame:
    """Make a data frame with all columns, even without rows; times stay text, precise to the nanosecond."""
    import pandas as pd  # noqa: PLC0415 - for notebooks only, and slow to import

    return pd.DataFrame(rows, columns=list(columns))


def to_html(title: str, rows: Iterable[Row], columns: Sequence[str]) -> str:
    """Write a title and some columns of a table as HTML; every value is escaped."""
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(f'<td>{_cell(row[name])}</td>' for name in columns)}</tr>" for row in rows)
    return f"<p>{escape(title)}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: object) -> str:
    return "" if value is None else escape(f"{value:,}" if isinstance(value, int) else str(value))
