"""What commands print for people: lines with a time are read, lines without are refused in a sentence that helps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forensics.errors import SourceError
from forensics.model import RawEntry
from forensics.sources import read_records

if TYPE_CHECKING:
    from pathlib import Path

FIREBASE = """\
2026-03-02T19:16:21.712015Z I basket: Starting new instance. Reason: DEPLOYMENT_ROLLOUT - Instance started.
2026-03-02T19:17:25.212942163Z E basket: TypeError: Cannot read properties of undefined (reading 'total')
    at sum (/workspace/lib/basket.js:12:9)
2026-03-02T19:17:26Z ? basket: function ended
"""
SERVICES = """\
2026-03-02 19:16:21 GET 500 https://shop.example/orders
2026-03-02 19:16:22 Container called exit(1).
"""
DOCKER = (
    "2026-03-02T19:16:21.712015123Z listening\n2026-03-02T19:16:22.000000001Z panic: no such table\n\ngoroutine 1:\n"
)
HEROKU = "2026-03-02T19:16:21.712015+00:00 app[web.1]: Error: no provider for TaxClient\n"


def records(text: str, folder: Path) -> list[dict[str, object]]:
    file = folder / "log.txt"
    file.write_text(text, encoding="utf-8")
    return [found.record for found in read_records([str(file)]) if isinstance(found, RawEntry)]


def test_firebase_tells_level_and_function_and_a_stack_belongs_to_its_line(tmp_path: Path) -> None:
    first, failed, last = records(FIREBASE, tmp_path)
    assert (first["severity"], failed["severity"], last.get("severity")) == ("INFO", "ERROR", None)
    assert failed["resource"] == {"type": "cloud_function", "labels": {"function_name": "basket"}}
    assert str(failed["textPayload"]).endswith("(reading 'total')\n    at sum (/workspace/lib/basket.js:12:9)")
    assert first["logName"] == "run.googleapis.com%2Fvarlog%2Fsystem"


def test_the_lines_of_a_service_are_requests_or_words(tmp_path: Path) -> None:
    request, said = records(SERVICES, tmp_path)
    assert request["httpRequest"] == {
        "requestMethod": "GET",
        "requestUrl": "https://shop.example/orders",
        "status": 500,
    }
    assert (said["timestamp"], said["textPayload"]) == ("2026-03-02T19:16:22Z", "Container called exit(1).")


def test_lines_of_containers_keep_their_times_and_what_continues_them(tmp_path: Path) -> None:
    _, panic = records(DOCKER, tmp_path)
    assert panic == {
        "timestamp": "2026-03-02T19:16:22.000000001Z",
        "insertId": "line-2",
        "textPayload": "panic: no such table\n\ngoroutine 1:",
    }


def test_a_dyno_is_an_instance(tmp_path: Path) -> None:
    (said,) = records(HEROKU, tmp_path)
    assert (said["labels"], said["textPayload"]) == ({"instanceId": "web.1"}, "Error: no provider for TaxClient")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("TEXT_PAYLOAD\nReady in 14s\n", "a table of one column"),
        ('{"events": [{"timestamp": 1, "message": "x"}]}', "AWS CloudWatch"),
        ('{"log":"listening\\n","stream":"stdout","time":"2026-03-02T19:16:21Z"}\n', "docker logs --timestamps"),
        (
            "\n\nDefault STARTUP TCP probe failed 1 time consecutively\nConnection failed",
            "--format='value(textPayload)'",
        ),
        ("Traceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 'x'\n", "forensics.exception_of"),
        ('Exception in thread "main" java.lang.IllegalStateException: no\n\tat a.B.c(B.java:1)\n', "a traceback alone"),
    ],
)
def test_what_lacks_times_is_named_and_the_export_that_has_them(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "log.txt"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SourceError) as refused:
        list(read_records([str(file)]))
    assert said in str(refused.value)
    assert len(str(refused.value).replace(str(file), "log.txt")) <= 250


def test_a_text_in_which_times_are_rare_is_no_log(tmp_path: Path) -> None:
    file = tmp_path / "diary.txt"
    file.write_text("2026-03-02 19:16:21 it began\n" + "and went on\n" * 19, encoding="utf-8")
    with pytest.raises(SourceError, match="is no log"):
        list(read_records([str(file)]))
