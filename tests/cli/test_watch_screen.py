"""What a person sees of a watch."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console
from support.builders import REVISION, raw

from forensics.cli.screens.watch_screen import PlainLines, describe_news
from forensics.cli.screens.watch_table import LiveTable
from forensics.cloud.tailing import News, WatchEvent
from forensics.model import Level
from forensics.rulebook import load_rules
from forensics.watch import Tally

LONG = "a very long message that goes on and on about what a pity it is that nothing at all works in this shop"


@pytest.mark.slow
@pytest.mark.parametrize("width", [80, 130, 200])
def test_a_narrow_terminal_cuts_the_names_and_no_number(width: int) -> None:
    tally = Tally(load_rules([])[0], Level.ERROR, REVISION)
    for number in range(1234):
        tally.add([json.dumps(raw(LONG, severity="ERROR", at=number / 1000, number=number)).encode()])
    screen = LiveTable(io.StringIO(), "for 10 min")
    screen._console = Console(width=width, file=io.StringIO())
    with screen._console.capture() as captured:
        screen._console.print(screen._layout(tally))
    row = next(line for line in captured.get().splitlines() if "a very long" in line)
    assert row.split()[0] == "P2"
    assert row.split()[-3:] == ["1,234", "0", "10:00:01"]
    assert len(row) <= width


def test_what_a_log_says_gives_a_terminal_no_orders() -> None:
    out = io.StringIO()
    tally = Tally(load_rules([])[0], Level.ERROR, REVISION)
    PlainLines(out, "").saw(tally.add([json.dumps(raw("\x1b]0;own\x07 broke \x9b2J", severity="ERROR")).encode()]))
    assert "broke" in out.getvalue()
    assert not set(out.getvalue()) & {"\x1b", "\x07", "\x9b"}


def test_news_are_one_line_each() -> None:
    assert describe_news(News(WatchEvent.POLLING, "no permission"), 0) == (
        "asking every few seconds instead of following: no permission"
    )
    assert (
        describe_news(News(WatchEvent.REOPENED), 1)
        == "reopened: nothing is missing, what was missed was listed (1 entry)"
    )


def test_a_long_wait_for_the_quota_is_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("forensics.cli.screens.watch_screen.time.sleep", slept.append)
    out = io.StringIO()
    PlainLines(out, "").pauses(1.0)
    PlainLines(out, "").pauses(42.0)
    assert (out.getvalue().count("\n"), slept) == (1, [1.0, 42.0])
    assert "waiting 42 s for the read quota" in out.getvalue()
    assert capsys.readouterr().err == ""
