"""Shapes of logs that people paste and that lack what an analysis needs: what they are, and the export that has it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from forensics.sources.containers.utf8 import TextContent

_EXPORT = "`gcloud logging read FILTER --format=json > log.json`"
_LOOKED_AT = 16_000


class _Shape(NamedTuple):
    pattern: re.Pattern[str]
    said: str


_SHAPES = (
    _Shape(
        re.compile(r"\A(?:TEXT_PAYLOAD|MESSAGE|JSON_PAYLOAD|TEXTPAYLOAD)[ \t]{0,200}(?:\r?\n|$)"),
        f"a table of one column, without times: take {_EXPORT}",
    ),
    _Shape(
        re.compile(r'\A\[?\s{0,50}\{\s{0,50}"(?:events|logEvents|logGroup|logStream|messageType)"\s{0,50}:'),
        "an export of AWS CloudWatch, not of Google Cloud; what runs there is not read",
    ),
    _Shape(
        re.compile(r'\A\{"log":"'),
        "a log file of Docker: take `docker logs --timestamps NAME > log.txt 2>&1`",
    ),
    _Shape(
        re.compile(
            r"(?:Default STARTUP (?:TCP|HTTP|GRPC) probe|Starting new instance\. Reason:|Container called exit\()"
        ),
        f"lines of Cloud Run without times, as --format='value(textPayload)' prints them: take {_EXPORT}",
    ),
    _Shape(
        re.compile(r"(?:^|\n)(?:Traceback \(most recent|panic: |Exception in thread |[ \t]{1,20}at [\w.$<>]{1,200}\()"),
        f"a traceback alone, without entries around it: `forensics.exception_of(text)` reads it from Python; "
        f"for an analysis take {_EXPORT}",
    ),
)


def named_shape(content: TextContent) -> str | None:
    """Say in one sentence what a content is that is not read, and what to take instead; None for any other."""
    text = content.head_text[:_LOOKED_AT].lstrip("\ufeff \t\r\n")
    return next((shape.said for shape in _SHAPES if shape.pattern.search(text)), None)
