"""A failure and a repository in, what the shipped rules say about its commits out."""

from __future__ import annotations

from contextlib import closing
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from support.builders import query, raw, raws

from forensics.pipeline import analyze
from forensics.rulebook import load_rules
from forensics.sources.repository import GitRepository

if TYPE_CHECKING:
    from support.repositories import Made

    from forensics.model import Report, Why

shipped = lru_cache(1)(load_rules)
DOCKERFILE = "FROM python:3.11-slim\nCOPY . /app\n"


def traceback(last: str, *, file: str = "/app/shop/main.py", line: int = 2) -> str:
    """Write a Python traceback of one frame; `last` says what was raised."""
    return f'Traceback (most recent call last):\n  File "{file}", line {line}, in <module>\n    import it\n{last}'


def missing(module: str, **place: Any) -> str:
    """Write what Python says of a module that is not there."""
    return traceback(f"ModuleNotFoundError: No module named '{module}'", **place)


def node(module: str) -> str:
    """Write what Node says of a module that is not there."""
    return (
        f"Error: Cannot find module '{module}'\nRequire stack:\n- /app/src/server.js\n"
        "    at Module._resolveFilename (node:internal/modules/cjs/loader:1225:15)\n"
        "    at main (/app/src/server.js:3:9)"
    )


def report(
    made: Made | None, text: str, *, commit: str | None = "HEAD", baseline: str | None = None, **fields: Any
) -> Report:
    """Analyse two entries of a failure beside a repository; `commit` is the one that was deployed."""
    rules, info = shipped()
    records = raws(*(raw(text, at=60.0 * n, number=n, severity="ERROR", **fields) for n in range(2)))

    def run(code: GitRepository | None) -> Report:
        return analyze(records, rules, query(), rulebook=info, tool_version="test", code=code).report

    if made is None:
        return run(None)
    with closing(GitRepository(made.path, commit=commit, baseline=baseline)) as code:
        return run(code)


def asked(made: Made | None, text: str, **fields: Any) -> Why:
    """Return the first answer that commits were asked for."""
    found = report(made, text, **fields)
    whys = [why for finding in found.findings for why in finding.whys if any(e.kind == "commits" for e in why.evidence)]
    return whys[0]


def said(why: Why) -> str:
    """Return every statement of its evidence, one a line."""
    return "\n".join(evidence.statement for evidence in why.evidence)
