"""Every regular expression that the package compiles with `re`, and the methods that it is asked by."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections import defaultdict
from functools import cached_property, partial
from types import FunctionType, MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import forensics

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

METHODS = frozenset({"match", "fullmatch", "search", "finditer", "findall", "sub", "subn", "split"})
_DEEPEST = 6


class Pattern(NamedTuple):
    """A compiled pattern."""

    name: str
    compiled: re.Pattern[Any]
    methods: frozenset[str]
    """How it is asked."""


def patterns_in_use() -> list[Pattern]:
    """List the patterns of all modules, in order of their names."""
    modules = [importlib.import_module(info.name) for info in _modules()]
    asked = _asked(modules)
    found: dict[tuple[str, str, int], Pattern] = {}
    for module in modules:
        tree = ast.parse(inspect.getsource(module))
        for pattern in (*_kept(module, asked), *_written(module, tree)):
            found.setdefault((module.__name__, str(pattern.compiled.pattern), pattern.compiled.flags), pattern)
    return sorted(found.values(), key=lambda pattern: (pattern.name, str(pattern.compiled.pattern)))


def _modules() -> Iterator[pkgutil.ModuleInfo]:
    for info in pkgutil.walk_packages(forensics.__path__, "forensics."):
        if not info.name.endswith("__main__"):
            yield info


def _kept(module: ModuleType, asked: dict[tuple[str, str], set[str]]) -> Iterator[Pattern]:
    """Yield what a module keeps under its names, in tables, objects and closures too."""
    for name, value in vars(module).items():
        for compiled in _inside(value, module.__name__, 0):
            # What lies in a table or an object is asked under another name, as is what is handed to a function.
            methods = asked[module.__name__, name] or asked[module.__name__, ""] or {"match", "search"}
            yield Pattern(f"{module.__name__}.{name}", compiled, frozenset(methods))


def _inside(value: Any, module: str, depth: int) -> Iterator[re.Pattern[Any]]:
    if depth > _DEEPEST:
        return
    if isinstance(value, re.Pattern):
        yield value
        return
    given = getattr(value, "_arguments", None)  # `late`
    if isinstance(given, tuple):
        yield re.compile(*given)
        return
    for part in _parts(value, module):
        yield from _inside(part, module, depth + 1)


def _parts(value: Any, module: str) -> Iterator[Any]:
    if isinstance(value, tuple | list | set | frozenset):
        yield from value
    elif isinstance(value, dict | MappingProxyType):
        yield from value.keys()
        yield from value.values()
    elif isinstance(value, partial):
        yield from (*value.args, *value.keywords.values())
    elif isinstance(getattr(value, "__self__", None), re.Pattern):
        yield value.__self__  # `re.compile(…).search`
    elif isinstance(value, FunctionType) and value.__module__ == module:
        yield from (*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values())
        yield from (cell.cell_contents for cell in value.__closure__ or ())
    elif isinstance(value, type) and value.__module__ == module:
        yield from [each for name, each in vars(value).items() if not name.startswith("__")]
    elif type(value).__module__ == module and hasattr(value, "__dict__"):
        yield from list(vars(value).values())
        lazy = [name for name, each in vars(type(value)).items() if isinstance(each, cached_property)]
        yield from [getattr(value, name) for name in lazy]


def _written(module: ModuleType, tree: ast.Module) -> Iterator[Pattern]:
    r"""Yield what is written where it is asked: `re.findall(r"…", text)`, and `re.compile(r"…")` within a function."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        source, name = node.args[0], node.func.attr
        if not (
            isinstance(node.func.value, ast.Name) and node.func.value.id == "re" and isinstance(source, ast.Constant)
        ):
            continue
        flags = [each for each in (*node.args[1:], *(word.value for word in node.keywords)) if _is_flag(each)]
        # The text of a flag: `re.ASCII | re.DOTALL`
        known = re.RegexFlag(0)
        for each in flags:
            known |= eval(ast.unparse(each), {"re": re})  # noqa: S307 - the project's own source
        if name in METHODS or name == "compile":
            methods = {name} if name in METHODS else {"match", "search"}
            text: Any = source.value
            compiled = re.compile(text, known)
            yield Pattern(f"{module.__name__}:{node.lineno}", compiled, frozenset(methods))


def _is_flag(node: ast.expr) -> bool:
    text = ast.unparse(node)
    return re.fullmatch(r"re\.[A-Z]+(?: \| re\.[A-Z]+)*", text) is not None


def _asked(modules: list[ModuleType]) -> defaultdict[tuple[str, str], set[str]]:
    """Find which methods of a name are asked for anywhere, by module and name; "" stands for all other names."""
    asked: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for module in modules:
        tree = ast.parse(inspect.getsource(module))
        home = {name: (module.__name__, name) for name in vars(module)}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                home.update({each.asname or each.name: (node.module, each.name) for each in node.names})
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in METHODS:
                name = node.value.id if isinstance(node.value, ast.Name) else ""
                place = home.get(name, (module.__name__, ""))
                if name != "re" and (place[1] or node.attr != "split"):  # texts are split everywhere
                    asked[place].add(node.attr)
    return asked
