"""Every input at hand, analysed: the pages that a reader would see, to be searched for what no page may say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest.mock import patch

from incidents.runner import SCENARIOS, compiled, rulebook, run

from forensics.errors import ForensicsError
from forensics.model import Query
from forensics.pipeline import analyze
from forensics.rendering import encode_report, render_report
from forensics.sources import read_records

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"
FILES = (
    (ROOT / "samples", "*/logs"),
    (ROOT / "tests" / "exports", "*.jsonl"),
    (SHARED / "netra", "*.ndjson"),
    (SHARED / "wild", "*.jsonl"),
    (SHARED / "field", "*.jsonl"),
)
"""Folder → its inputs; those outside of the checkout are read where they are."""


class Pages(NamedTuple):
    """The documents of one input, by name, and the report that they were made from."""

    source: str
    report: dict[str, Any]
    documents: Mapping[str, str]


def scripted() -> Iterator[Pages]:
    """Analyse the scripted incidents, each once in a run of the tests."""
    for name in sorted(SCENARIOS):
        made = run(name)
        yield Pages(f"incidents/{name}", made.report, made.documents)


def at_hand() -> Iterator[Pages]:
    """Analyse the samples and all exports at hand, all revisions of each."""
    for folder, pattern in FILES:
        yield from filter(None, map(analysed, sorted(folder.glob(pattern))))


def analysed(path: Path) -> Pages | None:
    """Analyse a file or folder as `forensics analyze --revision all` does; None where it holds no entry."""
    rules, info = rulebook()
    query = Query(revision="all", logs=(str(path),))
    try:
        with patch("forensics.extract.facts_extractor.Classifier", compiled):
            report = analyze(read_records([str(path)]), rules, query, rulebook=info, tool_version="test").report
    except ForensicsError:
        return None
    return Pages(f"{path.parent.name}/{path.name}", json.loads(encode_report(report)), dict(render_report(report)))
