"""Find out whether git ever held a name that a Python module lacks. Sources are parsed, never run."""

from __future__ import annotations

import ast
import warnings
from itertools import pairwise
from typing import TYPE_CHECKING

from forensics.model import Verdict
from forensics.whys.code.code_view import CodeQuestion, concluded, name_commit, statement
from forensics.whys.code.distributions import python_distribution
from forensics.whys.code.paths import find_file
from forensics.whys.code.related import related_commits
from forensics.whys.wording import plain

if TYPE_CHECKING:
    from forensics.model import Commit
    from forensics.whys.contexts import EvidenceResult

_VERSIONS = 50
UNPARSABLE = (SyntaxError, ValueError, MemoryError, RecursionError)
"""What the parser raises over text that is no program."""


def parse(source: str, minor: int | None = None) -> ast.Module:
    """Parse Python without running it, by the grammar of Python 3.`minor` as far as the parser knows it.

    Raises:
        SyntaxError, ValueError, MemoryError, RecursionError: it is no program.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source, feature_version=None if minor is None else (3, minor))


def defined_name(look: CodeQuestion, module: str, name: str) -> EvidenceResult:
    """Say whether a module at the deployed commit defines a name, and which commit took it away."""
    path = _source(look, module)
    if path is None:
        return python_distribution(look, module)
    names = _names(look, look.at, path)
    related = related_commits(look, (path,))
    shown = f"`{plain(path)}` at commit {look.at.short}"
    if names is None:
        text = f"what {shown} defines cannot be told by reading: it does not parse, or makes names when it runs"
        return concluded(Verdict.NO_EVIDENCE, statement(text), *related, look=look)
    if name in names:
        text = f"{shown} defines `{plain(name)}`, at line {names[name]}"
        step = "if the entries speak of a partially initialized module, find the two modules that import each other"
        evidence = statement(text, file=path, line=str(names[name]), commit=look.at.id)
        return concluded(Verdict.NO_EVIDENCE, evidence, *related, look=look, next_step=step)
    history = look.base.touching(look.at, (path,), most=_VERSIONS)
    for newer, older in pairwise(history.found):
        before = _names(look, older.commit, path) if older.present else None
        if before is not None and name in before:
            text = f"{shown} does not define `{plain(name)}`: {name_commit(newer.commit)} took it away"
            return concluded(Verdict.SUPPORTED, statement(text, file=path, commit=newer.commit.id), *related, look=look)
    never = "no version before it does" if history.complete else f"nor do the {len(history.found)} versions before it"
    text = f"{shown} does not define `{plain(name)}`; {never}"
    return concluded(Verdict.SUPPORTED, statement(text, file=path, commit=look.at.id), *related, look=look)


def _source(look: CodeQuestion, module: str) -> str | None:
    """Find the file that is a module: `shop/models.py` or `shop/models/__init__.py`."""
    way = module.replace(".", "/")
    for name in (f"{way}.py", f"{way}/__init__.py"):
        found = find_file(name, look.files)
        if found.path is not None:
            return found.path
    return None


def _names(look: CodeQuestion, commit: Commit, path: str) -> dict[str, int] | None:
    """Return the names that a module holds with their lines; None when reading it cannot tell."""
    text = look.base.text(commit, path)
    try:
        tree = parse(text or "")
    except UNPARSABLE:
        return None
    found: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            return None
        for name in _bound(node):
            found.setdefault(name, getattr(node, "lineno", 1))
    if "__getattr__" in found or "globals" in {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}:
        return None
    if path.endswith("/__init__.py"):
        folder = path.removesuffix("/__init__.py")
        for file in look.base.files(commit):
            if file.startswith(f"{folder}/"):
                found.setdefault(file.removeprefix(f"{folder}/").split("/", 1)[0].removesuffix(".py"), 1)
    return found


def _bound(node: ast.AST) -> list[str]:
    """List the names that a statement binds; names inside functions count too, so that "not defined" is certain."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [(alias.asname or alias.name).split(".", 1)[0] for alias in node.names]
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return [node.id]
    # Python 3.12: `type Alias = …` binds through a Name as well.
    return []
