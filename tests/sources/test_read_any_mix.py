"""Properties: the same entries in any shape, encoding, compression, line ends and key order are the same records."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
import yaml
import zstandard
from hypothesis import HealthCheck, assume, given, settings, strategies as st
from sources.inputs import ENCODINGS

from forensics.model import RawEntry
from forensics.sources import read_records

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

Record = dict[str, Any]

# Half of a surrogate pair cannot be written; the others are line ends to YAML or CSV, and come back as such.
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r\0\x85\u2028\u2029"), max_size=30
) | st.sampled_from(
    [
        'Traceback (most recent call last):\n  File "a", line 1\nValueError: no',
        "---",
        "```json\n{}\n```",
        "'a'",
        "a,b;c\td",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
IDS = st.text("0123456789abcdef-", min_size=1, max_size=24)
RECORDS = st.fixed_dictionaries(
    {
        "insertId": IDS,
        "timestamp": st.datetimes().map(lambda time: time.isoformat(timespec="microseconds") + "Z"),
        "logName": st.just("projects/shop/logs/run.googleapis.com%2Fstderr"),
    },
    optional={
        "textPayload": TEXTS,
        "jsonPayload": st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4),
        "severity": st.sampled_from(["INFO", "ERROR"]),
        "labels": st.dictionaries(IDS, TEXTS, min_size=1, max_size=2),
        "traceSampled": st.booleans(),
    },
)


def _csv(records: list[Record]) -> str:
    out = io.StringIO(newline="")
    names = sorted({name for record in records for name in record})
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return out.getvalue()


INPUT_FORMATS: dict[str, Callable[[list[Record]], str]] = {
    "lines": lambda records: "\n".join(json.dumps(r, ensure_ascii=False) for r in records),
    "lines, ASCII": lambda records: "\n".join(map(json.dumps, records)) + "\n",
    "blank lines": lambda records: "\n\n".join(map(json.dumps, records)) + "\n\n",
    "array": json.dumps,
    "indented array": lambda records: json.dumps(records, indent=2, ensure_ascii=False),
    "wrapped": lambda records: json.dumps({"entries": records, "nextPageToken": "x"}),
    "one after the other": lambda records: "\n".join(json.dumps(r, indent=1) for r in records),
    "YAML": lambda records: yaml.safe_dump_all(records, explicit_start=True),
    "YAML, wide, raw": lambda records: yaml.safe_dump_all(
        records, explicit_start=True, width=10_000, allow_unicode=True, sort_keys=False
    ),
    "YAML list": lambda records: yaml.safe_dump(records, default_flow_style=False),
    "Markdown": lambda records: "# Report\n\n~~~~json\n" + json.dumps(records, indent=1) + "\n~~~~\n",
}


def _zip(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("log", data)
    return out.getvalue()


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "zip": _zip,
}


def _shuffled(record: Record, random: Random) -> Record:
    names = list(record)
    random.shuffle(names)
    return {name: record[name] for name in names}


def _read(content: bytes) -> list[Record]:
    found = list(read_records(["-"], stdin=io.BytesIO(content)))
    assert all(isinstance(x, RawEntry) for x in found), found
    return [x.record for x in found if isinstance(x, RawEntry)]


MIXES = st.tuples(
    st.sampled_from(["\n", "\r\n"]), st.sampled_from(sorted(ENCODINGS)), st.sampled_from(sorted(PACKINGS))
)


def _mixed(text: str, mix: tuple[str, str, str]) -> bytes:
    ends, encoding, packing = mix
    return PACKINGS[packing](ENCODINGS[encoding](text.replace("\n", ends)))


@pytest.mark.slow
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    records=st.lists(RECORDS, min_size=1, max_size=4),
    shape=st.sampled_from(sorted(INPUT_FORMATS)),
    mix=MIXES,
    random=st.randoms(use_true_random=False),
)
def test_any_mix_gives_the_same_records(
    records: list[Record], shape: str, mix: tuple[str, str, str], random: Random
) -> None:
    text = INPUT_FORMATS[shape]([_shuffled(record, random) for record in records])
    # Quotations are read only where the file was named, and nobody names a member of an archive.
    assume(shape != "Markdown" or mix[2] != "zip")
    assert _read(_mixed(text, mix)) == records


@settings(max_examples=100, deadline=None)
@given(
    records=st.lists(
        st.fixed_dictionaries(
            {"insertId": IDS, "logName": st.just("p/x"), "timestamp": st.just("2026-03-01T10:00:00Z")},
            optional={"textPayload": TEXTS.filter(bool), "severity": st.just("ERROR")},
        ),
        min_size=1,
        max_size=4,
    ),
    mix=MIXES,
)
def test_any_mix_of_a_table_gives_the_same_records(records: list[Record], mix: tuple[str, str, str]) -> None:
    assert _read(_mixed(_csv(records), mix)) == records
