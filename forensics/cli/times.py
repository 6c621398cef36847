"""`--since`, `--from` and `--to` in, RFC 3339 UTC out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from forensics.errors import UsageError
from forensics.text.timestamps import parse_duration, read_moment, to_utc


def bounds(since: str | None, from_: str | None, to: str | None) -> tuple[str | None, str | None]:
    """Turn --since, --from and --to into RFC 3339 UTC."""
    if since and (from_ or to):
        raise UsageError("--since and --from/--to say the same thing twice: give one of them")
    if since:
        try:
            back = timedelta(microseconds=parse_duration(since) // 1000)
        except ValueError as error:
            raise UsageError(f"--since {since!r} is no duration: write 30m, 2h or 7d") from error
        return to_utc(datetime.now(UTC) - back), None
    return moment("--from", from_), moment("--to", to)


def moment(flag: str, text: str | None) -> str | None:
    """Turn the time that a flag names into RFC 3339 UTC; without a zone it is UTC, which is said."""
    if text is None:
        return None
    try:
        found = read_moment(text)
    except ValueError as error:
        raise UsageError(f"{flag} {text!r} is no time: write 2025-09-08T14:00:00Z or 2025-09-08 16:00+02:00") from error
    if found.tzinfo is None:
        click.echo(f"forensics: {flag} {text!r} names no zone: taken as UTC", err=True)
    return to_utc(found)
