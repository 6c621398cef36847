"""Convert `--since`, `--from`, `--to` and other times on the command line to RFC 3339 UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from forensics.errors import UsageError
from forensics.text.timestamps import parse_duration, read_moment, to_utc


def bounds(since: str | None, from_: str | None, to: str | None) -> tuple[str | None, str | None]:
    """Return first and last time of --since, --from and --to as RFC 3339 UTC; None where not bounded."""
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
    """Convert a flag's time to RFC 3339 UTC; a time without a zone is taken as UTC, with a note on stderr."""
    if text is None:
        return None
    try:
        found = read_moment(text)
    except ValueError as error:
        raise UsageError(f"{flag} {text!r} is no time: write 2025-09-08T14:00:00Z or 2025-09-08 16:00+02:00") from error
    if found.tzinfo is None:
        click.echo(f"forensics: {flag} {text!r} names no zone: taken as UTC", err=True)
    return to_utc(found)
