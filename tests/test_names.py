"""Names are the field's own: words that only this project used stay out, and a module's name says where it is."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import defaultdict
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "forensics"
MODULES = sorted(PACKAGE.rglob("*.py"))
PRIVATE_WORDS = """
Journal journal Gist gist gists gist_table Intake intake Sheet sheet Shelf FileShelf MemoryShelf shelf glance sieve sift
Sifted Odd digester Digester boil boiling Boiled Scene scene Stage Gathered Members speaker Aftermath Grounds grounds
Stretch struck spared weigh Asked LiveAsked Against Wanted Faults faults spot Lister lister telling piped LineReader
"""
"""Identifiers that no reader of logs knows; the glossary and ARCHITECTURE.md have the words that stand for them."""


def test_no_private_word_names_anything() -> None:
    found = {
        f"{file.relative_to(PACKAGE)}:{token.start[0]} {token.string}"
        for file in MODULES
        for token in tokenize.generate_tokens(io.StringIO(file.read_text()).readline)
        if token.type == tokenize.NAME and token.string in PRIVATE_WORDS.split()
    }
    assert not found


def test_no_private_word_stands_in_prose() -> None:
    words = re.compile(
        r"\b(?:[Jj]ournals?|[Gg]ists?|[Ii]ntakes?|[Ss]hel(?:f|ves)|boil(?:ed|s)?|[Ss]ieves?|sift(?:s|ed)?)\b"
    )
    found = [
        f"{file.relative_to(PACKAGE)}:{number} {line.strip()}"
        for file in MODULES
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if words.search(line)
    ]
    assert not found


_PHRASES = re.compile(r"\b(?:find|found|left|leave|ran|run|ruled?|lay it)s? out\b")


def test_no_docstring_is_forced_into_in_and_out() -> None:
    """`A rule in, its text out` cannot be understood at first reading; a sentence with a verb can."""
    forced = re.compile(r"\bin[,;]? [^.]*\bout[.;]|goes in\b|comes? out\b|\bin, .*\bout\b")
    found = []
    for file in MODULES:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                first = (ast.get_docstring(node) or "").split("\n\n")[0]
                if forced.search(first) and not _PHRASES.search(first):
                    found.append(f"{file.relative_to(PACKAGE)}: {first}")
    assert not found


def test_no_module_name_stands_in_three_rooms() -> None:
    rooms = defaultdict(list)
    for file in MODULES:
        if file.stem != "__init__":
            rooms[file.stem].append(str(file.parent.relative_to(PACKAGE)))
    assert not {name: places for name, places in rooms.items() if len(places) > 2}


def test_the_package_reads_as_the_way_of_the_data() -> None:
    here = [path for path in PACKAGE.iterdir() if path.name not in {"__pycache__", "_bundled"}]
    assert {path.name for path in here if path.suffix == ".py"} == {
        "__init__.py",
        "__main__.py",
        "api.py",
        "errors.py",
        "pipeline.py",
        "watch.py",
    }
    assert len([path for path in here if path.is_dir()]) <= 22
