"""The shipped folders are found in a checkout, and inside an installed package."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from forensics.system import resources as module
from forensics.system.resources import bundled

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parents[2]


def test_a_checkout_uses_the_folder_beside_the_package() -> None:
    assert Path(str(bundled("rules"))) == ROOT / "rules"
    assert Path(str(bundled("templates"))) == ROOT / "templates"


def test_an_installed_package_uses_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "forensics" / "_bundled" / "rules"
    inside.mkdir(parents=True)
    monkeypatch.setattr(module, "files", lambda name: tmp_path / name)
    assert bundled("rules") == inside
    assert bundled("templates") == tmp_path / "templates"
