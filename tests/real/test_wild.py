"""Other people's exports against hand-made labels; skipped where they are not beside the checkout."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[3] / "shared"
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the real exports (../shared) are not here")


@pytest.fixture(scope="module")
def total(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    out = tmp_path_factory.mktemp("scoreboard") / "scores.json"
    program = f"{sys.executable} -m forensics"
    board = SHARED / "tools" / "scoreboard.py"
    command = [sys.executable, str(board), str(SHARED / "data" / "wild"), "--forensics", program, "--json", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    scores: dict[str, int] = json.loads(out.read_text())["total"]
    return scores


@pytest.mark.slow
def test_every_file_is_read_whole(total: dict[str, int]) -> None:
    assert (total["files"] > 50, total["crashed"], total["wrong_count"]) == (True, 0, 0)


@pytest.mark.slow
def test_nine_of_ten_incidents_are_found_and_named_right(total: dict[str, int]) -> None:
    assert total["right"] / total["incidents"] >= 0.9


@pytest.mark.slow
def test_nothing_is_blamed_in_healthy_files(total: dict[str, int]) -> None:
    assert total["alarms"] == 0
