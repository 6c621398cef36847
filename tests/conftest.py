from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from hypothesis import Phase, settings

if TYPE_CHECKING:
    import pytest

# The benchmarks measure processes by means that Windows lacks.
collect_ignore = ["test_benchmarks.py"] if sys.platform == "win32" else []

# `make test` tries the same examples every time, `make quick` fewer; `make fuzz` tries new ones, and more of them.
# Explaining a failure runs it line by line, which takes ten minutes where a whole analysis is tried.
PHASES = [phase for phase in Phase if phase is not Phase.explain]
settings.register_profile("steady", derandomize=True, deadline=None, phases=PHASES)
settings.register_profile("quick", max_examples=10, derandomize=True, deadline=None, phases=PHASES)
settings.register_profile("fuzz", max_examples=2000, deadline=None, phases=PHASES)
settings.load_profile("steady")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--accept", action="store_true", help="write the snapshots anew; read the diff like code")
