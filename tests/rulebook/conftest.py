"""A folder that stands in for the shipped rules, a folder of a user's, and a rule for each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forensics.errors import RuleError
from forensics.rulebook import folders as folders_module, load_rules, rule_cache as kept

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def good() -> str:
    """A rule that has every key; it supersedes the shipped one."""
    return (HERE / "lock-lost.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def other() -> str:
    """The shipped rule."""
    return (HERE / "lock-slow.yaml").read_text(encoding="utf-8")


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str) -> Path:
    folder = tmp_path / "shipped"
    (folder / "run").mkdir(parents=True)
    (folder / "README.md").write_text("# no rule")
    (folder / "run" / "lock-slow.yaml").write_text(other)
    monkeypatch.setattr(folders_module, "bundled", lambda _: folder)
    monkeypatch.setattr(kept, "_place", lambda: tmp_path / "kept-rules.msgpack")
    return folder


@pytest.fixture
def write(tmp_path: Path, shipped: Path) -> Callable[..., Path]:
    """Write a user's rule file and return its folder."""
    assert shipped.is_dir()

    def to_folder(text: str, name: str = "lock-lost.yaml") -> Path:
        folder = tmp_path / "mine"
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(text.encode("utf-8", "surrogateescape"))
        return folder

    return to_folder


@pytest.fixture
def diagnostics() -> Callable[[Path], list[str]]:
    """Load a folder that has faults and return the lines of the error, without the folder."""

    def of_folder(folder: Path) -> list[str]:
        with pytest.raises(RuleError) as caught:
            load_rules([folder])
        return [line.removeprefix(f"{folder.as_posix()}/") for line in str(caught.value).splitlines()]

    return of_folder
