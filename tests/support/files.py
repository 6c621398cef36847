"""Write entries to files in every form: containers, orders, copies, and noise between the lines."""

from __future__ import annotations

import codecs
import gzip
import io
import json
import zipfile
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import zstandard
from hypothesis import strategies as st
from support.builders import REVISION, raw

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from random import Random

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
    """Return an entry for the beginning of each file, from which its format is recognised; at most three files."""
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


FORMS = st.builds(
    Form,
    st.sampled_from(CONTAINERS),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.lists(st.integers(0, len(NOISE) - 1), max_size=5).map(tuple),
)
