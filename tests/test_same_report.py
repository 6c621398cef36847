"""One list of entries, one report: in whatever form they are written, and in whatever way they are read."""

from __future__ import annotations

import codecs
import gzip
import io
import json
import re
import zipfile
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import msgspec
import zstandard
from builders import REVISION, query, raw, request
from hypothesis import given, settings, strategies as st

from forensics.classify import Screen
from forensics.digest import boiling
from forensics.entries import LineReader
from forensics.model import Level, RulebookInfo
from forensics.pipeline import analyze
from forensics.rulebook import load_rules
from forensics.sources import FileShelf, Indexing, files, indexing, read_records
from forensics.workers import in_processes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from forensics.model import Analysis

OTHER = "shop-api-00041-zzz"
AREAS = {"http", "run", "python", "database"}
RULES = tuple(rule for rule in load_rules()[0] if Path(rule.source).parent.name in AREAS)
INFO = RulebookInfo(count=0, folders=(), overridden=())

Record = dict[str, Any]
Plain = dict[str, Any]

# --- entries: each maker gets a time and a number, and returns one entry, or the JSON texts of several ---

LINES = (
    "Traceback (most recent call last):",
    '  File "/app/shop.py", line 3, in pay',
    "    charge()",
    "KeyError: 'card'",
)


def split(at: float, number: int) -> list[str]:
    """A traceback that was written line by line."""
    pieces = enumerate(LINES)
    return [json.dumps(raw(line, at=at + i / 1000, number=number + i, severity="ERROR")) for i, line in pieces]


def audit(at: float, number: int) -> Record:
    """A deployment that failed; the resource names no revision, what it says does."""
    said = f"Ready condition status changed to False for Revision {REVISION} with message: no port"
    proto = {"methodName": "/InternalServices.ReplaceInternalService", "status": {"code": 9, "message": said}}
    entry = raw(at=at, number=number, stream="cloudaudit.googleapis.com%2Fsystem_event", revision="", instance="")
    return entry | {"severity": "ERROR", "protoPayload": proto}


def bigquery(at: float, number: int) -> Record:
    """An entry as a sink to BigQuery spells it."""
    entry = raw("ValueError: bad", at=at, number=number, severity="ERROR")
    names = {"insertId": "insert_id", "logName": "log_name", "textPayload": "text_payload"}
    entry |= {"timestamp": entry["timestamp"].replace("T", " ").replace("Z", " UTC"), "labels": {"instanceid": "i1"}}
    return {names.get(key, key): value for key, value in entry.items()} | {"json_payload": None}


def abroad(at: float, number: int) -> Record:
    entry = raw("TypeError: bad", at=at, number=number, severity="ERROR")
    return entry | {"timestamp": entry["timestamp"].replace("T10", "T12").replace("Z", "+02:00")}


def without(key: str, at: float, number: int) -> Record:
    fields = raw("RuntimeError: lonely", at=at + number / 977, number=number, severity="ERROR")
    return {name: value for name, value in fields.items() if name != key}


def nested(at: float, number: int) -> Record:
    value: Any = "ERROR"
    for _ in range(95):
        value = {"a": value}
    return raw(at=at, number=number, severity="ERROR", jsonPayload={"message": "deep", "nested": value})


def rewritten(old: str, new: str, at: float, number: int) -> list[str]:
    """An error of which a part is spelled in another way."""
    text = json.dumps(raw("ValueError: bad", at=at, number=number, severity="ERROR"))
    assert old in text
    return [text.replace(old, new)]


def answered(status: Any, path: str, at: float, number: int) -> Record:
    http = {"requestMethod": "GET", "requestUrl": f"https://x.example{path}", "status": status}
    return request(200, at=at, latency=0.1, number=number) | {"httpRequest": http}


MAKERS: dict[str, Callable[[float, int], Record | list[str]]] = {
    "a request that went well": lambda at, n: request(200, at=at, latency=0.1, number=n),
    "a request that a rule may know": lambda at, n: request(200, at=at, latency=0.1, number=n, path="/memory-limit"),
    "a request that was refused": lambda at, n: request(404, at=at, latency=0.1, number=n),
    "a request that failed": lambda at, n: request(500, at=at, latency=0.5, number=n),
    "a request that found no instance": lambda at, n: request(503, at=at, latency=3, number=n),
    "a request without an instance": lambda at, n: request(200, at=at, latency=0.1, number=n, instance=""),
    "a WebSocket": partial(answered, 101, "/rooms/17/ws"),
    "a handshake that was refused": partial(answered, 403, "/rooms/18/ws"),
    "a status of 0": partial(answered, 0, "/zero"),
    "a status as text": partial(answered, "200", "/text"),
    "a status as text, failed": partial(answered, "500", "/text"),
    "a status with a point": partial(answered, 200.0, "/point"),
    "a status below 0": partial(answered, -1, "/below"),
    "a large status": partial(answered, 10**30, "/large"),
    "no status": partial(answered, None, "/none"),
    "an empty request": lambda at, n: raw(at=at, number=n, stream="requests", httpRequest={}),
    "a request with words": lambda at, n: request(200, at=at, latency=1, number=n, textPayload="KeyError: 'x'"),
    "a request with an empty payload": lambda at, n: request(200, at=at, latency=1, number=n, jsonPayload={}),
    "a text": lambda at, n: raw("listening", at=at, number=n, severity="INFO"),
    "an error": lambda at, n: raw("ValueError: bad", at=at, number=n, severity="ERROR"),
    "an error of the database": lambda at, n: raw("connection refused: 10.0.0.3:5432", at=at, number=n),
    "a JSON line": lambda at, n: raw(at=at, number=n, jsonPayload={"message": "fine", "level": "info"}),
    "a JSON error": lambda at, n: raw(at=at, number=n, jsonPayload={"level": "error", "message": "no", "user": n}),
    "a traceback": lambda at, n: raw("\n".join(LINES), at=at, number=n, severity="ERROR"),
    "a traceback in lines": split,
    "a start": lambda at, n: raw(
        "Starting new instance. Reason: AUTOSCALING", at=at, number=n, stream="varlog%2Fsystem"
    ),
    "an exit": lambda at, n: raw("Container called exit(1).", at=at, number=n, stream="varlog%2Fsystem"),
    "an audit entry": audit,
    "an audit entry with words": lambda at, n: audit(at, n) | {"textPayload": "no port"},
    "of another revision": lambda at, n: raw("KeyError: 'x'", at=at, number=n, severity="ERROR", revision=OTHER),
    "a request of another": lambda at, n: request(200, at=at, latency=1, number=n, revision=OTHER),
    "of another, naming this": lambda at, n: raw(f"after {REVISION}", at=at, number=n, revision=OTHER),
    "of no revision": lambda at, n: raw("shop", at=at, number=n, revision=""),
    "no severity": lambda at, n: raw("plain", at=at, number=n),
    "no insertId": partial(without, "insertId"),
    "no timestamp": partial(without, "timestamp"),
    "no resource": partial(without, "resource"),
    "no logName": partial(without, "logName"),
    "no payload": lambda at, n: raw(at=at, number=n, severity="INFO"),
    "the first second": lambda at, n: raw("epoch", at=at, number=n, timestamp="1970-01-01T00:00:00Z"),
    "an impossible time": lambda at, n: raw("never", at=at, number=n, timestamp="2026-02-30T10:00:00Z"),
    "deep": nested,
    "abroad": abroad,
    "a small severity": lambda at, n: raw("no", at=at, number=n, severity="error"),
    "a number as severity": lambda at, n: raw("no", at=at, number=n, severity=500),
    "null as severity": lambda at, n: raw("no", at=at, number=n, severity=None),
    "null as labels": lambda at, n: raw("no", at=at, number=n, labels=None),
    "null as a payload": lambda at, n: raw("no", at=at, number=n, jsonPayload=None),
    "a payload of a list": lambda at, n: raw(at=at, number=n, jsonPayload=["KeyError: 'x'"]),
    "as in BigQuery": bigquery,
    "a key as in BigQuery": lambda at, n: raw("no", at=at, number=n, span_id="1", labels={"instanceid": "i1"}),
    "two spellings": lambda at, n: raw("mine", at=at, number=n, json_payload={"message": "theirs"}, severity="ERROR"),
    "a wrapper's key": lambda at, n: raw("mine", at=at, number=n, entries=[raw("theirs", at=at, number=n + 1)]),
    "escapes": partial(rewritten, "shop-api-00042", r"shop\u002dapi\u002D00042"),
    "an escaped key": partial(rewritten, '"resource"', r'"\u0072esource"'),
    "escapes that mean nothing": partial(rewritten, "ValueError", r"\u003cValueError\u003e"),
    "duplicate keys": partial(rewritten, '"severity"', '"severity": "INFO", "severity"'),
    "duplicate labels": partial(rewritten, '"labels"', '"labels": {"revision_name": "x"}, "labels"'),
    "NaN": partial(rewritten, '"severity"', '"jsonPayload": {"ratio": NaN, "message": "x"}, "severity"'),
    "half a surrogate pair": partial(rewritten, "ValueError", r"ValueError \ud83d"),
    "half a pair in an id": partial(rewritten, '"insertId": "', r'"insertId": "\ud83d'),
    "a raw control character": partial(rewritten, "ValueError", "Value\x01Error"),
    "bytes that are no UTF-8": partial(rewritten, "ValueError", "ValueError \udcff"),
    "bytes that are no UTF-8, unseen": partial(rewritten, '"severity"', '"operation": "\udcff", "severity"'),
    "spaces": partial(rewritten, '"severity"', ' \t"severity"'),
}


def texts_of(kinds: Sequence[tuple[str, int]]) -> list[str]:
    """Write entries as JSON, some of them in odd ways; equal seconds make ties."""
    texts = []
    for number, (kind, second) in enumerate(kinds):
        made = MAKERS[kind](float(second), number * 10)
        texts += made if isinstance(made, list) else [json.dumps(made)]
    return texts


# --- forms: how texts become files ---

BLANK = (b"   ", b"\0\0\0")
NOISE = (
    *BLANK,
    b"",
    b"{broken",
    b'{"insertId": "' + REVISION.encode(),
    b"[" * 150,
    b"null",
    b"[]",
    b'{"a": 1}',
    b"Listed 3 items.",
    json.dumps({"jsonPayload": {"a": json.loads("[" * 120 + "]" * 120)}}).encode(),
)
"""Lines that are no entries."""


class Form(msgspec.Struct, frozen=True):
    """How entries are written."""

    container: str
    keys: bool
    """Keys in another order."""
    order: bool
    """Entries in another order."""
    twice: bool
    """Some entries twice."""
    noise: tuple[int, ...] = ()


def anchors() -> list[str]:
    """A file begins with an entry that tells its format; there are at most three files."""
    return [json.dumps(raw("hello", at=i, number=5, severity="INFO", stream="stdout")) for i in range(3)]


def shuffled(value: Any, random: Random) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        random.shuffle(keys)
        return {key: shuffled(value[key], random) for key in keys}
    return [shuffled(item, random) for item in value] if isinstance(value, list) else value


loads = partial(json.loads, strict=False)


def arranged(texts: Sequence[str], form: Form, random: Random) -> list[str]:
    texts = list(texts)
    if form.twice:
        texts += [text for text in texts if random.random() < 0.5]
    if form.order:
        random.shuffle(texts)
    return [json.dumps(shuffled(loads(text), random)) if form.keys else text for text in texts]


def in_lines(texts: Sequence[str], form: Form, random: Random, end: bytes = b"\n") -> bytes:
    first, *rest = [text.encode("utf-8", "surrogateescape") for text in texts]
    for number in form.noise:
        rest.insert(random.randint(0, len(rest)), NOISE[number])
    return end.join([first, *rest]) + end * random.randint(0, 2)


def zipped(data: bytes) -> bytes:
    with zipfile.ZipFile(out := io.BytesIO(), "w") as archive:
        archive.writestr("log.ndjson", data)
    return out.getvalue()


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "lines": bytes,
    "gzip": gzip.compress,
    "zstd": zstandard.compress,
    "zip": zipped,
    "BOM": lambda data: codecs.BOM_UTF8 + data,
}
ONCE: dict[str, Callable[[list[str]], str]] = {
    "array": lambda texts: "[" + ",\n".join(texts) + "]",
    "indented": lambda texts: json.dumps([loads(text) for text in texts], indent=1),
    "one after the other": lambda texts: "\n".join(json.dumps(loads(text), indent=1) for text in texts),
}
CONTAINERS = (*PACKED, "CRLF", "UTF-16", "three files", *ONCE)


def write(texts: Sequence[str], form: Form, random: Random, folder: Path) -> list[str]:
    """Write the files of a form and return their paths."""
    texts = arranged(texts, form, random)
    starts = anchors()
    if form.container == "three files":
        cuts = sorted(random.randint(0, len(texts)) for _ in range(2))
        parts = [texts[: cuts[0]], texts[cuts[0] : cuts[1]], texts[cuts[1] :]]
        contents = [in_lines([start, *part], form, random) for start, part in zip(starts, parts, strict=True)]
    elif form.container in ONCE:
        contents = [ONCE[form.container](starts + texts).encode("utf-8", "surrogateescape")]
    elif form.container == "UTF-16":
        data = in_lines(starts + texts, form, random)
        contents = [data.decode("utf-8", "replace").encode("utf-16")]
    elif form.container == "CRLF":
        contents = [in_lines(starts + texts, form, random, b"\r\n")]
    else:
        contents = [PACKED[form.container](in_lines(starts + texts, form, random))]
    paths = [folder / f"{number}.log" for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return [str(path) for path in paths]


# --- ways: how files are read ---


def exact(paths: Sequence[str], asked: str) -> Plain:
    """Read everything as it stands."""
    return plain(analyze(read_records(paths), RULES, query(asked), rulebook=INFO, tool_version="t"))


def indexed(paths: Sequence[str], asked: str, *, only: str | None = None, jobs: int = 1) -> Plain:
    """Read as the command line does."""
    with closing(FileShelf()) as shelf:
        how = Indexing(shelf=shelf, reader=partial(LineReader, screen=Screen(RULES, Level.ERROR)), jobs=jobs)
        spread = partial(in_processes, jobs=jobs, before=shelf.flush)
        records = read_records(paths, only=only, indexing=how)
        found = analyze(records, RULES, query(asked), rulebook=INFO, tool_version="t", shelf=shelf, spread=spread)
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

    What is absent is called refuted only where nothing was cut or unreadable, and that is told by the way of reading.
    """
    report = _without_certificates(report)
    coverage = {key: value for key, value in report["coverage"].items() if key not in leave_out}
    coverage["warnings"] = [text for text in coverage["warnings"] if not _OF_READING.search(text)]
    asked = {key: value for key, value in report["query"].items() if key != "logs"}
    return report | {"coverage": coverage, "query": asked}


def _without_certificates(part: Any) -> Any:
    if isinstance(part, dict):
        return {
            key: _without_certificates(value)
            for key, value in part.items()
            if key not in {"certificate", "rivals"} and not (key == "verdict" and part.get("kind") == "open question")
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
FORMS = st.builds(
    Form,
    st.sampled_from(CONTAINERS),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.lists(st.integers(0, len(NOISE) - 1), max_size=5).map(tuple),
)
ASKED = st.sampled_from([REVISION, "shop-api-00042", "00042", "all"])


def test_these_rules_leave_requests_to_pass_by() -> None:
    assert not Screen(RULES, Level.ERROR).is_blind


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
