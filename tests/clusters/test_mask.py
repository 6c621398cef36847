from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hypothesis import given, strategies as st
from support.builders import entry

from forensics.clusters import fingerprint, mask
from forensics.clusters.mask import _RUN, _VALUE, WILDCARD, _masked_long

if TYPE_CHECKING:
    import random


def test_values_become_wildcards() -> None:
    assert mask("user 42 not found in /srv/app/users.db after 3.5s") == "user <*> not found in <*> after <*>"


def test_ids_inside_words_are_values() -> None:
    assert mask("Message routing failed for ws_10146348_1757373217_28b0e073, error_count: 1") == (
        "Message routing failed for <*>, error_count: <*>"
    )


@given(st.text(max_size=300))
def test_masking_twice_is_masking_once(text: str) -> None:
    once = mask(text)
    assert mask(once) == once


PIECES = (
    *(
        "a",
        "b",
        "7",
        "²",
        "é",
        "://",
        "http",
        "@",
        "+",
        "%",
        "/",
        "/a/b",
        "-",
        "_",
        ".",
        "!",
        ":",
        "'",
        "<",
        "<*>",
        "#",
    ),
    *("(", "=", "\t", "deadbeef", "abcdefab-abcd-abcd-abcd-abcdefabcdef"),
)


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_a_long_part_is_masked_as_a_short_one(part: str) -> None:
    assert _masked_long(part) == _VALUE.sub(WILDCARD, part)


def test_the_same_words_with_other_numbers_have_one_fingerprint() -> None:
    assert fingerprint(entry("order 17 lost", severity="ERROR")) == fingerprint(
        entry("order 9951 lost", severity="ERROR")
    )


def test_other_words_have_another_fingerprint() -> None:
    assert fingerprint(entry("order 17 lost", severity="ERROR")) != fingerprint(
        entry("order 17 paid", severity="ERROR")
    )


def test_two_places_of_one_exception_are_two_fingerprints() -> None:
    text = 'Traceback (most recent call last):\n  File "/app/{0}.py", line 3, in {0}\n    f()\nValueError: bad'
    assert fingerprint(entry(text.format("pay"))) != fingerprint(entry(text.format("ship")))


WORDS = st.sampled_from(
    [
        "order",
        "7",
        "0a1b2c3d-1111-2222-3333-0a1b2c3d4e5f",
        "<*>",
        "no1",
        "/a/b",
        "é",
        "²",
        "١",
        " ",
        "\t",
        "\n",
        "\u00a0",
        "a@b",
        "x://y",
        "-",
        ",",
        "=",
    ]
)


@given(st.lists(WORDS, max_size=9).map("".join), st.randoms(use_true_random=False))
def test_parts_are_masked_as_the_whole_is(text: str, chance: random.Random) -> None:
    whole = _RUN.sub(WILDCARD, _VALUE.sub(WILDCARD, text)).strip()
    assert mask(text) == whole
    # What was found of a text holds of all that differ in digits only.
    other = re.sub("[0-9]", lambda _: str(chance.randrange(10)), text)
    assert mask(other) == _RUN.sub(WILDCARD, _VALUE.sub(WILDCARD, other)).strip()
