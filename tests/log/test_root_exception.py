"""Where a chain of exceptions began, and the application's innermost frame."""

from __future__ import annotations

import pytest
from support.builders import bare

from forensics.log.root_exception import innermost_frame, root_exception
from forensics.model import ExceptionInfo, Frame, LogEntry


def frame(function: str, *, in_app: bool = True) -> Frame:
    return Frame(file="/app/shop.py", line=7, function=function, in_app=in_app)


def raised(type_: str, *frames: Frame) -> ExceptionInfo:
    return ExceptionInfo(type=type_, value="", frames=frames)


def entry(*exceptions: ExceptionInfo) -> LogEntry:
    return bare(exceptions=exceptions)


def test_without_an_exception_there_is_no_root() -> None:
    assert root_exception(entry()) is None
    assert innermost_frame(entry()) is None


@pytest.mark.parametrize("steering", ["asyncio.exceptions.CancelledError", "GeneratorExit", "StopAsyncIteration"])
def test_what_only_steers_is_passed_over(steering: str) -> None:
    failed = raised("ValueError")
    assert root_exception(entry(raised(steering), failed, raised("KeyError"))) == failed


def test_what_only_steers_is_better_than_nothing() -> None:
    steering = raised("KeyboardInterrupt")
    assert root_exception(entry(steering)) == steering


def test_the_application_comes_before_its_libraries() -> None:
    chain = entry(raised("ValueError", frame("handle"), frame("load"), frame("parse", in_app=False)))
    found = innermost_frame(chain)
    assert found is not None
    assert found.function == "load"


def test_another_exception_of_the_chain_can_name_the_application() -> None:
    chain = entry(raised("OSError", frame("connect", in_app=False)), raised("ShopError", frame("pay")))
    found = innermost_frame(chain)
    assert found is not None
    assert found.function == "pay"


def test_a_library_is_better_than_nothing() -> None:
    chain = entry(raised("OSError", frame("open", in_app=False), frame("connect", in_app=False)), raised("ShopError"))
    found = innermost_frame(chain)
    assert found is not None
    assert found.function == "connect"


def test_an_exception_without_frames_has_none() -> None:
    assert innermost_frame(entry(raised("ValueError"))) is None
