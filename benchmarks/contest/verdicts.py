"""Compare an answer with the truth, in a few words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

HttpAnswer = Mapping[str, Any]
"""`entries`, `errors`, `first`, `last` and `errors_per_minute` of the asked revision."""


def verdict(answer: HttpAnswer, asked: Mapping[str, Any]) -> str:
    """Compare an answer with the truth about the revision in question."""
    wrong = _differences(answer, asked)
    if not wrong:
        return "yes"
    if not _differences(answer, {**asked, **asked["duplicates_counted"]}):
        return "yes, but counts duplicates"
    return "no: " + ", ".join(wrong)


def _differences(answer: HttpAnswer, asked: Mapping[str, Any]) -> list[str]:
    wrong = [f"{key} {answer[key]:,} for {asked[key]:,}" for key in ("entries", "errors") if answer[key] != asked[key]]
    wrong += [
        f"{key} {answer[key]} for {asked[key]}"
        for key in ("first", "last")
        if _plain_time(answer[key]) != _plain_time(asked[key])
    ]
    minutes = answer["errors_per_minute"].items() ^ asked["errors_per_minute"].items()
    return wrong + ([f"{len({minute for minute, _ in minutes})} minutes differ"] if minutes else [])


def _plain_time(text: str | None) -> str:
    """Drop the zone and trailing zeros, so that equal times are equal texts."""
    plain = (text or "").removesuffix("Z")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
