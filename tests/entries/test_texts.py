"""Texts that differ in digits only are read together, and as each would be by itself."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from forensics.entries.decode.payload import read_payload
from forensics.entries.decode.texts import read_text, text_facts_of
from forensics.sources.json.json_values import NotJsonError, decode_json

_EXPORTS = Path(__file__).parents[1] / "exports"
_SAMPLES = Path(__file__).parents[2] / "samples"

# What patterns look for, so that digits stand where some of them may look at one.
_PIECES = (
    *"0123456789",
    *" \n\t:.,;-=[](){}<>'\"\\/|#+_²٣é",
    *("1006", "1011", "2000", "10", "404", "Http404", "Http", "Error", "a.errors.X", "ValueError: ", "KeyError0"),
    *(
        "received ",
        "sent ",
        "sent 1000 (OK)",
        "close ",
        "closed",
        "code ",
        "code=",
        "disconnected (",
        ", reason=",
        "no reason",
    ),
    *(
        "2025-09-16 00:41:13",
        "00:41:13.084 ",
        "[7]  ",
        "ERROR: ",
        "E0916 ",
        "INFO 1 --- [a]  b : ",
        "[U+1F6A8]",
        "<b>",
        "<red>",
    ),
    *("level=info ", "msg=", '"a"', "\x1b[31m", '\\n  File \\"a\\", line 1', "Traceback (most recent call last):\n"),
    *('  File "/app/a1.py", line 12, in f\n', "panic: ", "goroutine 1 [running]:\n", "main.f(0x1)\n\t/a.go:12 +0x1d\n"),
    *("\n    at f (/a.js:1:2)", "a.rb:1:in `f': x (NoMethodError)", "x in /a.php:3", "panicked at src/a.rs:1:2:\n"),
)
_texts = st.lists(st.sampled_from(_PIECES), max_size=12).map("".join)


def _with_other_digits(text: str, chance: random.Random) -> str:
    return re.sub("[0-9]", lambda _: str(chance.randrange(10)), text)


@given(_texts, st.randoms(use_true_random=False))
def test_what_one_text_told_is_no_answer_for_another(text: str, chance: random.Random) -> None:
    for each in (text, *(_with_other_digits(text, chance) for _ in range(3))):
        assert text_facts_of(each) == read_text(each)


@pytest.mark.parametrize("folder", [_EXPORTS, _SAMPLES], ids=lambda folder: folder.name)
def test_texts_of_real_logs(folder: Path) -> None:
    chance = random.Random(1)  # noqa: S311 - the same each time, and no secret
    texts = {text for file in sorted(folder.rglob("*json*")) for text in _texts_of(file)}
    assert len(texts) > 100
    for text in sorted(texts):
        for each in (text, _with_other_digits(text, chance), text):
            assert text_facts_of(each) == read_text(each)


def _texts_of(file: Path) -> list[str]:
    texts = []
    for line in file.read_bytes().splitlines():
        try:
            record = decode_json(line)
        except NotJsonError:
            continue
        payload = read_payload(record) if isinstance(record, dict) else None
        if payload is not None and payload.is_log:
            texts.append(payload.text)
    return texts


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("websocket: close 2006 (abnormal)", "websocket: close 1006 (abnormal)"),
        ("sent 0000 (OK); received 0001 (bye)", "sent 1000 (OK); received 1001 (bye)"),
        ("Http500: no page", "Http404: no page"),
        (
            "ERROR 2025-09-16 00:41:13,084 a.b 7 140213 closed: 3333",
            "ERROR 2025-09-16 00:41:13,084 a.b 7 140213 closed: 1006",
        ),
    ],
)
def test_digits_that_matter(one: str, other: str) -> None:
    text_facts_of(one)
    assert text_facts_of(other) == read_text(other)
    assert (text_facts_of(other).exceptions, text_facts_of(other).close) != (
        text_facts_of(one).exceptions,
        text_facts_of(one).close,
    )
