"""Parse Elixir's and Erlang's stacks into exceptions."""

from __future__ import annotations

import re

from forensics.entries.tracebacks.known_packages import BEAM_APPLICATIONS
from forensics.model import ExceptionInfo, Frame
from forensics.text.lazy_regex import late

# ** (Shop.NoStockError) none left      ** (EXIT from #PID<0.95.0>) shell process exited      ** (stop) exited in: …
_HEADER = late(r"\*\* \((?P<type>[A-Za-z][\w.]*)(?: from [^)\n]{0,80})?\)(?: (?P<value>[^\n]*)|$)", re.MULTILINE)
#     (shop 0.1.0) lib/shop/pay.ex:12: Shop.Pay.run/2      lib/shop/pay.ex:12: Shop.Pay.run/2
_FRAME = late(
    r"^[ \t]*+(?:\((?P<app>\w+)(?: [^()\s]*)?\) )?(?P<file>[\w./\-]+\.(?:exs?|erl|eex|heex|leex)):(?P<line>\d+): "
    r"(?P<function>[^\n]*)$",
    re.MULTILINE,
)
# What a report has below the words of an exception.
_END = late(
    r"^[ \t]*+(?:Last message|State|Function|Initial Call|Ancestors|Process Label|Args|Queue|Client)\b|^$", re.MULTILINE
)
# ** Reason for termination ==\n** {function_clause,      exception error: no function clause matching shop:pay(1)
_REPORTED = late(
    r"(?:[Rr]eason for termination(?: ==| =)?\s*(?:\*\* )?\{?|exception (?:error|exit|throw): |\berror:)"
    r"(?P<type>\{?[a-z]\w*)(?P<value>[^\n]*)"
)
# {file,"src/shop.erl"},{line,108}      [file: ~c"lib/shop.ex", line: 90]      (src/shop.erl, line 12)
_TERM_FRAME = late(
    r"""\{'?(?P<module>[\w.]+)'?,\s*'?(?P<name>[\w\-/]+)'?,[^{}]{0,400}\{file,\s*"(?P<file>[^"\n]+)"\},\s*\{line,\s*(?P<line>\d+)\}"""
)
_PLACE = late(r"\((?P<file>[\w./\-]+\.erl), line (?P<line>\d+)\)")
_FOREIGN_FUNCTION = late(
    r"""(?:anonymous\ fn/\d+\ in\ )?(?::(?:gen_|proc_lib|supervisor|erl|init|application|timer|ets|ssl
    |lists|maps|cowboy|ranch)
    |(?:Ecto|Phoenix|Plug|DBConnection|Postgrex|GenServer|GenStage|Task|Enum|Mix|Supervisor|Kernel
    |String|Map|Access|Keyword
    |Connection|Agent|Registry|Stream|Process|Agent|Code|Module|File|IO|Logger|Cowboy|Bandit
    |ThousandIsland|Absinthe|Oban
    |Jason|Poison|Finch|Mint|Tesla|HTTPoison|Regex|List|Integer)[.!?])""",
    re.VERBOSE,
)
_RUNTIME_FILE = late(
    r"(?:gen_\w+|proc_lib|supervisor|erl_\w+|init|application\w*|lists|maps|timer)\.erl\Z|deps/|src/elixir_"
)
_LONGEST_VALUE = 2_000


def may_be(text: str) -> bool:
    """Tell whether a text may contain an exception or a crash report of the BEAM."""
    return "** (" in text or ("eason for termination" in text or "exception e" in text or '{file,"' in text)


def parse(text: str) -> tuple[ExceptionInfo, ...]:
    """Return the exceptions in a text, the innermost cause first."""
    headers = list(_HEADER.finditer(text))
    if not headers:
        return _reported(text)
    chain = [header for header in headers if header is headers[0] or _belongs(text, headers[0], header)]
    ends = [*(header.start() for header in chain[1:]), len(text)]
    found = [_exception(text, header, end) for header, end in zip(chain, ends, strict=True)]
    return tuple(reversed(found))


def _belongs(text: str, first: re.Match[str], header: re.Match[str]) -> bool:
    """Tell whether a later header is the cause of the first: further in than it, or in its words."""
    line = text.rfind("\n", 0, header.start()) + 1
    margin = text.rfind("\n", 0, first.start()) + 1
    return header.start() - line > first.start() - margin


def _exception(text: str, header: re.Match[str], end: int) -> ExceptionInfo:
    calls = list(_FRAME.finditer(text, header.end(), end))
    below = calls[0].start() if calls else end
    stop = _END.search(text, header.end() + 1, min(below, header.end() + _LONGEST_VALUE))
    more = text[header.end() : stop.start() if stop else min(below, header.end() + _LONGEST_VALUE)]
    value = ((header["value"] or "") + more).strip()
    return ExceptionInfo(type=header["type"], value=value, frames=tuple(_frame(call) for call in reversed(calls)))


def _frame(call: re.Match[str]) -> Frame:
    file, function = call["file"], call["function"].strip()
    if call["app"]:
        foreign = call["app"] in BEAM_APPLICATIONS
    else:
        foreign = _FOREIGN_FUNCTION.match(function) is not None or _RUNTIME_FILE.match(file) is not None
        foreign = foreign or function.removeprefix(":").partition(".")[0] in BEAM_APPLICATIONS
    return Frame(file=file, line=int(call["line"][:9]), function=function, in_app=not foreign)


def _reported(text: str) -> tuple[ExceptionInfo, ...]:
    """Read a crash report in Erlang's own terms."""
    report = _REPORTED.search(text)
    if report is None:
        return ()
    frames = [_term_frame(match) for match in _TERM_FRAME.finditer(text, report.start())]
    frames = frames or [_term_frame(match) for match in _PLACE.finditer(text, report.start())]
    kind = report["type"].lstrip("{")
    return (ExceptionInfo(type=kind, value=report["value"].strip(" ,"), frames=tuple(reversed(frames))),)


def _term_frame(match: re.Match[str]) -> Frame:
    named = match.groupdict()
    function = f"{named['module']}:{named['name']}" if named.get("module") else ""
    foreign = _RUNTIME_FILE.match(match["file"]) is not None
    return Frame(file=match["file"], line=int(match["line"][:9]), function=function, in_app=not foreign)
