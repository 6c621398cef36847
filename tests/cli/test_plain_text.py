"""In a pipe the screen is laid out without rich, and must look as rich would have laid it out."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given, settings, strategies as st
from rich.cells import cell_len
from rich.console import Console

from forensics.cli.screens import plain_text as piped, rich_report as terminal, summary_cells as screen
from forensics.model import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from forensics.model import Report

WORDS = st.text("ab`.–“”…└█ЖéΩ", min_size=1, max_size=14)
SENTENCE = st.lists(WORDS, max_size=45).map(" ".join)
HOSTILE = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=300)
TEXT = st.one_of(SENTENCE, SENTENCE, SENTENCE, HOSTILE).map(lambda text: " ".join(text.split()))
CELL = st.one_of(WORDS, st.just(""), st.just("   █ ██ "))
CLUSTER = st.tuples(CELL, CELL, TEXT.map(lambda text: text[:100]), CELL, CELL, CELL, CELL, CELL)
WHY = st.builds(screen.WhyRow, CELL, TEXT, TEXT, st.sampled_from(Verdict), CELL)


def by_rich(report: Report) -> str:
    console = Console(highlight=False, markup=False, emoji=False, width=piped.WIDTH, no_color=True)
    with console.capture() as captured:
        terminal._summarize(console, report)
    return "\n".join(line.rstrip() for line in captured.get().rstrip("\n").split("\n")) + "\n"


@contextmanager
def showing(shown: Shown) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("forensics.cli.screens.plain_text.screen", shown)
        patch.setattr("forensics.cli.screens.rich_report.screen", shown)
        yield


class Shown:
    """Stands in for `screen`: the words are given, the report has only what is asked of it directly."""

    COLUMNS, NUMBERS, bullet = screen.COLUMNS, screen.NUMBERS, staticmethod(screen.bullet)

    def __init__(
        self, title: str, rhythm: str | None, clusters: list[tuple[str, ...]], whys: list[Any], said: list[str]
    ) -> None:
        self.title = lambda _: title
        self.rhythm = lambda _: rhythm
        self.as_logged = lambda _: rhythm
        self.mark = lambda _: screen.Mark("✗", "bold red")
        self.cluster_rows = lambda _: iter(clusters)
        self.why_rows = lambda _: whys
        self.comparison_lines = lambda _: (screen.bullet("→", text) for text in said)
        self.notes = lambda report: iter(report.coverage.warnings)


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(
    title=TEXT,
    rhythm=st.none() | TEXT.map(lambda text: f"    {text}"),
    clusters=st.lists(CLUSTER, max_size=3),
    whys=st.lists(WHY, max_size=3),
    said=st.lists(TEXT, min_size=1, max_size=3),
)
def test_the_layout_is_that_of_rich(
    title: str, rhythm: str | None, clusters: list[tuple[str, ...]], whys: list[Any], said: list[str]
) -> None:
    report = SimpleNamespace(
        clusters=clusters, incidents=whys, headline=said[0], coverage=SimpleNamespace(warnings=said[1:])
    )
    with showing(Shown(title, rhythm, clusters, whys, said)):
        ours = piped.lay_out(cast("Report", report))
        if ours is not None:
            assert ours == by_rich(cast("Report", report))


def test_usual_text_needs_no_rich() -> None:
    row = ("└ mechanism", "P2", "KeyError: '<*>'", "1,200", "3", "00:33:25", "11:41:57", "█  ██   ")
    why = screen.WhyRow("1", "Why did it end? " * 5, "It was told to – by “us”. " * 9, Verdict.SUPPORTED, "2/2")
    coverage = SimpleNamespace(warnings=["…"])
    report = cast("Report", SimpleNamespace(clusters=[1], incidents=[1], headline="x" * 300, coverage=coverage))
    with showing(Shown("shop-api-00042", "    3 sessions.", [row], [why], ["against shop-api-00041: 1 new"])):
        text = piped.lay_out(report)
        assert text is not None
        assert text == by_rich(report)


@pytest.mark.parametrize("taken", range(1, 9))
@pytest.mark.parametrize(("ask", "said"), [(55, 52), (100, 103), (152, 170), (160, 156), (250, 203), (203, 250)])
def test_two_long_cells_share_the_line_as_those_of_rich_do(ask: int, said: int, taken: int) -> None:
    """What is wider than the line counts as no wider, which decides who gets the odd cell."""
    why = screen.WhyRow("1" * taken, ("ab " * ask)[:ask], ("ab " * said)[:said], Verdict.SUPPORTED, "2/2")
    coverage = SimpleNamespace(warnings=[])
    report = cast("Report", SimpleNamespace(clusters=[], incidents=[1], headline="x", coverage=coverage))
    with showing(Shown("shop-api-00042", None, [], [why], [])):
        assert piped.lay_out(report) == by_rich(report)


def test_what_is_not_one_cell_wide_is_left_to_rich() -> None:
    every = [chr(code) for code in range(0x110000) if piped._ONE_CELL.fullmatch(chr(code))]
    assert len(every) > 1000
    assert [character for character in every if cell_len(character) != 1] == []
    for text in ("\t", "\n", "\x1b", "\u200b", "\u0301", "日", "👍", "\u00ad", "\u00a0"):
        assert not piped._ONE_CELL.fullmatch(text)


def test_neither_rich_nor_jinja_is_imported_for_help() -> None:
    code = (
        "import sys, forensics.cli.verbs.analyze as a, click; a.command.main(['--help'], standalone_mode=False);"
        "sys.exit(str({'rich', 'jinja2', 'yaml', 'tomllib'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "set()"


@pytest.mark.slow
def test_an_analysis_waits_for_no_package_that_it_does_not_need(tmp_path: Path) -> None:
    words = ["analyze", "--revision", "00180", "--out", str(tmp_path)]
    code = (
        f"import sys, forensics.cli as c; sys.argv[1:] = {words!r}\n"
        "try: c.main()\n"
        "except SystemExit: pass\n"
        "slow = {'numpy', 'scipy', 'pandas', 'google.cloud.logging', 'grpc', 'dulwich', 'rich', 'yaml'}\n"
        "print(slow & sys.modules.keys(), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (tmp_path / "index.md").is_file()
    assert done.stderr.strip() == "set()"
