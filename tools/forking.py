"""Run tests in forked children, one of which may import a changed module in the place of the real one."""

from __future__ import annotations

import importlib
import os
import resource
import signal
import sys
from collections import defaultdict
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import Phase, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import CodeType

ROOT = Path(__file__).resolve().parent.parent

_HEAVY = ("hypothesis.strategies", "msgspec", "re2", "yaml", "scipy.special", "stringzilla", "dateutil.parser")
"""What tests import and no mutant changes: imported once, before the children are forked."""
_ALONE = (
    *("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--hypothesis-profile=mutants"),
    # hypothesis is there before pytest is, on purpose.
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)
_PATIENCE = 10
"""Seconds on the clock for each second of CPU, since others may use the machine too."""
_BROKEN = 70


class Job(NamedTuple):
    """Work for a child, which ends with the status that it returns."""

    work: Callable[[], int]
    cpu: int
    """Seconds after which the system ends the child, whatever it does."""


class Ended(NamedTuple):
    """How a child ended."""

    status: int
    cpu: float


class Changed(NamedTuple):
    """A module and the code to import in its place."""

    path: str
    code: CodeType


class Quickest:
    """Notes how long each test takes, and lets the quickest come first: they kill most mutants."""

    def __init__(self, seconds: Mapping[str, float]) -> None:
        self.seconds: dict[str, float] = defaultdict(float, seconds)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Sort what was collected."""
        items.sort(key=lambda item: self.seconds.get(item.nodeid, 0.0))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up a test and what is set up for it."""
        self.seconds[report.nodeid] += report.duration


class _Finder(MetaPathFinder):
    """Finds one module, and gives it the changed code."""

    def __init__(self, changed: Changed) -> None:
        self._name = changed.path.removesuffix(".py").replace("/", ".")
        self._changed = changed

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        del path, target
        if fullname != self._name:
            return None
        file = str(ROOT / self._changed.path)
        return spec_from_file_location(fullname, file, loader=_Loader(fullname, file, self._changed.code))


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType:
        del fullname
        return self._code


def prepare() -> None:
    """Import what all children share, and let a property end at the first example that fails."""
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    for name in _HEAVY:
        importlib.import_module(name)
    phases = [Phase.explicit, Phase.generate]
    settings.register_profile("mutants", derandomize=True, deadline=None, phases=phases)


def run_tests(tests: Sequence[str], changed: Changed, plugin: Quickest) -> int:
    """Run tests with a changed module until one of them fails."""
    sys.meta_path.insert(0, _Finder(changed))
    return int(pytest.main([*_ALONE, *tests], plugins=[plugin]))


def in_children(jobs: Sequence[Job], processes: int) -> list[Ended]:
    """Do each job in a child of its own, several at a time; return how they ended, in order."""
    running: dict[int, int] = {}
    ended: dict[int, Ended] = {}
    for at, job in enumerate(jobs):
        if len(running) == processes:
            _wait(running, ended)
        running[_forked(job)] = at
    while running:
        _wait(running, ended)
    return [ended[at] for at in range(len(jobs))]


def _wait(running: dict[int, int], ended: dict[int, Ended]) -> None:
    pid, status, usage = os.wait4(-1, 0)
    ended[running.pop(pid)] = Ended(status, usage.ru_utime + usage.ru_stime)


def _forked(job: Job) -> int:
    """Start a job without output; return the id of its process."""
    pid = os.fork()
    if pid:
        return pid
    status = _BROKEN
    try:
        # A change may make a loop endless, or let one wait for ever.
        resource.setrlimit(resource.RLIMIT_CPU, (job.cpu, job.cpu))
        signal.alarm(job.cpu * _PATIENCE)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        status = job.work()
    finally:
        os._exit(status)
