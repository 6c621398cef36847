"""One list of entries, one report: in whatever form they are written, and in whatever way they are read."""

from __future__ import annotations

import re
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given, settings, strategies as st
from support.builders import REVISION, query
from support.files import BLANK, FORMS, ONCE, Form, anchors, write
from support.records import MAKERS, texts_of

from forensics.classify import RequestPrefilter
from forensics.entries import FastIndexReader
from forensics.extract import build_table as boiling
from forensics.model import Level, RulebookInfo
from forensics.pipeline import analyze
from forensics.rulebook import load_rules
from forensics.sources import FileRecordStore, Indexing, files, read_records
from forensics.sources.index import indexing
from forensics.system.processes import in_processes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from forensics.model import Analysis

AREAS = {"http", "run", "python", "database"}
RULES = tuple(rule for rule in load_rules()[0] if Path(rule.source).parent.name in AREAS)
INFO = RulebookInfo(count=0, folders=(), overridden=())

Plain = dict[str, Any]


def exact(paths: Sequence[str], asked: str) -> Plain:
    """Read everything as it stands."""
    return plain(analyze(read_records(paths), RULES, query(asked), rulebook=INFO, tool_version="t"))


def indexed(paths: Sequence[str], asked: str, *, only: str | None = None, jobs: int = 1) -> Plain:
    """Read as the command line does."""
    with closing(FileRecordStore()) as store:
        how = Indexing(
            store=store, reader=partial(FastIndexReader, prefilter=RequestPrefilter(RULES, Level.ERROR)), jobs=jobs
        )
        parallel_map = partial(in_processes, jobs=jobs, before=store.flush)
        records = read_records(paths, only=only, indexing=how)
        found = analyze(
            records, RULES, query(asked), rulebook=INFO, tool_version="t", store=store, parallel_map=parallel_map
        )
        return plain(found)


def cut(size: int) -> ExitStack:
    """Treat everything as large: files in parts, blocks, and a few rows at a time."""
    stack = ExitStack()
    stack.enter_context(patch.multiple(indexing, LARGE=1, PART=size, PAYS=1, _BLOCK=size // 2))
    stack.enter_context(patch.object(files, "LARGE", 0))
    stack.enter_context(patch.multiple(boiling, _WORTH=1, _CHUNK=3))
    return stack


def plain(found: Analysis) -> Plain:
    report: Plain = msgspec.to_builtins(found.report)
    return report | {"rows": [msgspec.to_builtins(row) for row in found.rows]}


# The order of reading, and what is told because of it, is not that of the entries.
READING = {"order", "truncated", "truncation", "cut"}
COPIES = READING | {"entries_read", "duplicates", "unreadable", "first_unreadable", "passed_over"}
_OF_READING = re.compile(r"(?i)cut by a limit|limit per severity|could not be read")


def what_counts(report: Plain, leave_out: set[str]) -> Plain:
    """Leave out of a report what the way of reading may change.

    What is absent is denied or called refuted only where nothing was cut or unreadable, and that is told by the way of
    reading.
    """
    report = _without_certificates(report)
    coverage = {key: value for key, value in report["coverage"].items() if key not in leave_out}
    coverage["warnings"] = [text for text in coverage["warnings"] if not _OF_READING.search(text)]
    asked = {key: value for key, value in report["query"].items() if key != "logs"}
    return report | {"coverage": coverage, "query": asked}


def _without_certificates(part: Any) -> Any:
    if isinstance(part, dict):
        if any(evidence["kind"] == "unnoticed" for evidence in part.get("evidence", ())):
            part = part | {"answer": None, "evidence": ()}  # it says what is absent, where nothing was unreadable
        return {
            key: _without_certificates(value)
            for key, value in part.items()
            if key not in {"certificate", "rivals", "next_step", "look_at"}
            and not (key == "verdict" and part.get("kind") == "open question")
        }
    if isinstance(part, list | tuple):
        return [_without_certificates(item) for item in part]
    return part


def with_same_numbers(report: Plain, form: Form) -> Plain:
    """What was passed over may have been unreadable: the sum stays."""
    coverage = report["coverage"]
    # Lines of nothing but spaces or NULs are counted among those passed over: see test_sieve.py.
    lines = 0 if min(form.noise, default=len(BLANK)) < len(BLANK) else coverage["entries_read"] + coverage["unreadable"]
    return {"lines": lines} | what_counts(report, COPIES)


KINDS = st.lists(st.tuples(st.sampled_from(sorted(MAKERS)), st.integers(0, 40)), min_size=1, max_size=14)
ASKED = st.sampled_from([REVISION, "shop-api-00042", "00042", "all"])


def test_these_rules_leave_requests_to_pass_by() -> None:
    assert not RequestPrefilter(RULES, Level.ERROR).is_blind


@pytest.mark.slow
@settings(max_examples=60)
@given(KINDS, FORMS, ASKED, st.integers(20, 800), st.randoms(use_true_random=False))
def test_in_every_way_the_same_files_give_the_same_report(
    kinds: list[tuple[str, int]], form: Form, asked: str, size: int, random: Random
) -> None:
    with TemporaryDirectory() as folder:
        paths = write(texts_of(kinds), form, random, Path(folder))
        wanted = exact(paths, asked)
        assert what_counts(indexed(paths, asked), READING) == what_counts(wanted, READING)
        with cut(size):
            assert what_counts(indexed(paths, asked), READING) == what_counts(wanted, READING)
            assert with_same_numbers(indexed(paths, asked, only=asked), form) == with_same_numbers(wanted, form)


@pytest.mark.slow
@settings(max_examples=4)
@given(KINDS.filter(lambda kinds: len(kinds) > 5), FORMS, st.randoms(use_true_random=False))
def test_two_processes_give_the_same_report(kinds: list[tuple[str, int]], form: Form, random: Random) -> None:
    with TemporaryDirectory() as folder, cut(500):
        paths = write(texts_of(kinds), form, random, Path(folder))
        wanted = exact(paths, REVISION)
        assert what_counts(indexed(paths, REVISION, jobs=2), READING) == what_counts(wanted, READING)
        assert with_same_numbers(indexed(paths, REVISION, only=REVISION, jobs=2), form) == with_same_numbers(
            wanted, form
        )


@pytest.mark.slow
@settings(max_examples=60)
@given(KINDS, FORMS, ASKED, st.integers(20, 800), st.randoms(use_true_random=False))
def test_in_every_form_the_same_entries_give_the_same_report(
    kinds: list[tuple[str, int]], form: Form, asked: str, size: int, random: Random
) -> None:
    texts = texts_of(kinds)
    with TemporaryDirectory() as folder:
        array = Path(folder) / "array.json"
        array.write_bytes(ONCE["array"](anchors() + texts).encode("utf-8", "surrogateescape"))
        wanted = exact([str(array)], asked)
        paths = write(texts, form, random, Path(folder))
        with cut(size):
            assert what_counts(indexed(paths, asked), COPIES) == what_counts(wanted, COPIES)
