"""A repository that most tests of commits begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.repositories import Made
from whys.asking import DOCKERFILE

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def shop(tmp_path: Path) -> Made:
    made = Made(tmp_path / "shop")
    files: dict[str, str | bytes | None] = {
        "Dockerfile": DOCKERFILE,
        "requirements.txt": "flask==3.0\nPyYAML>=6  # settings\n",
        "shop/__init__.py": "",
        "shop/main.py": "import flask\nfrom shop import pay\nrun()\n",
        "shop/pay.py": "def charge():\n    return 1\n",
        "shop/monitoring/__init__.py": "",
        "shop/monitoring/errors.py": "x = 1\n",
    }
    made.commit("First", files)
    return made
