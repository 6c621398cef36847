"""Find the requirement files that name a package."""

from __future__ import annotations

import json
import re
import tomllib
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from forensics.model import Evidence, Touch, Verdict
from forensics.text.nested_values import value_at
from forensics.whys.code.code_view import CodeQuestion, concluded, name_commit, statement
from forensics.whys.code.related import is_packages, is_requirements, related_commits
from forensics.whys.wording import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from forensics.whys.contexts import EvidenceResult

_OTHER_NAMES = {
    "attr": ("attrs",),
    "bs4": ("beautifulsoup4",),
    "crypto": ("pycryptodome", "pycrypto"),
    "cv2": ("opencv-python", "opencv-python-headless", "opencv-contrib-python"),
    "dateutil": ("python-dateutil",),
    "docx": ("python-docx",),
    "dotenv": ("python-dotenv",),
    "fitz": ("pymupdf",),
    "git": ("gitpython",),
    "jose": ("python-jose",),
    "jwt": ("pyjwt",),
    "magic": ("python-magic",),
    "multipart": ("python-multipart",),
    "mysqldb": ("mysqlclient",),
    "openssl": ("pyopenssl",),
    "pil": ("pillow",),
    "pkg-resources": ("setuptools",),
    "psycopg2": ("psycopg2", "psycopg2-binary"),
    "rest-framework": ("djangorestframework",),
    "serial": ("pyserial",),
    "skimage": ("scikit-image",),
    "sklearn": ("scikit-learn",),
    "slugify": ("python-slugify",),
    "socks": ("pysocks",),
    "telegram": ("python-telegram-bot",),
    "websocket": ("websocket-client",),
    "yaml": ("pyyaml",),
    "zmq": ("pyzmq",),
}
"""Modules whose distribution has another name; those that thousands of services install."""
_SEPARATORS = re.compile(r"[-_.]+")
_FILES = 30
"""Requirement files that are read, the nearest to the root first."""
_FOR_DEVELOPERS = re.compile(r"dev|test|lint|docs?|ci\b|local", re.IGNORECASE)
_LISTED = 4
"""Files that a sentence names."""
_VERSIONS = 30
"""Versions of a requirement file that are looked through for the one that named a package."""


def distribution_names(module: str) -> tuple[str, ...]:
    """List the names that the distribution of a module may have; a namespace gives its parts in the name."""
    parts = module.split(".")
    names = ["-".join(parts[:end]) for end in range(min(len(parts), 4), 0, -1)]
    normal = [normalize(name) for name in names]
    # `google` alone is the namespace of a hundred distributions.
    if parts[0] in {"google", "azure", "opentelemetry", "zope"} and len(parts) > 1:
        normal = normal[:-1]
    return tuple(dict.fromkeys((*_OTHER_NAMES.get(normal[-1], ()), *normal)))


def normalize(name: str) -> str:
    """Write a distribution's name as PEP 503 compares it."""
    return _SEPARATORS.sub("-", name).lower()


def python_distribution(look: CodeQuestion, module: str) -> EvidenceResult:
    """Say whether requirement files name the distribution of a module that the repository does not hold."""
    names = distribution_names(module)
    files = _nearest([file for file in look.files if is_requirements(file)])
    return _judge(look, module, files, lambda file, text: _python_line(file, text, names), names)


def node_package(look: CodeQuestion, package: str) -> EvidenceResult:
    """Say whether package.json names a package, and whether for developers alone."""
    files = _nearest([file for file in look.files if is_packages(file)])
    return _judge(look, package, files, lambda file, text: _node_line(file, text, package), (package,))


def _nearest(files: Sequence[str]) -> list[str]:
    return sorted(files, key=lambda path: (path.count("/"), path))[:_FILES]


def _judge(
    look: CodeQuestion,
    name: str,
    files: list[str],
    find: Callable[[str, str], tuple[int, bool] | None],
    names: Sequence[str],
) -> EvidenceResult:
    """Hold a package against requirement files; `find` returns its line, and whether it is for developers alone."""
    if not files:
        text = f"`{plain(name)}` is not in commit {look.at.short}, which holds no requirement files either"
        return concluded(
            Verdict.NO_EVIDENCE, statement(text), look=look, next_step="see how the image installs packages"
        )
    found = [(file, at) for file in files if (at := find(file, look.base.text(look.at, file) or "")) is not None]
    related = related_commits(look, ())
    rest = len(files) - _LISTED
    listed = ", ".join(f"`{plain(file)}`" for file in files[:_LISTED]) + (f" and {rest} more" if rest > 0 else "")
    if not found:
        removed = _removed(look, files, find)
        if removed is not None:
            return concluded(Verdict.SUPPORTED, removed, *related, look=look)
        what = " or ".join(f"`{plain(each)}`" for each in names[:3])
        text = f"no requirement file at commit {look.at.short} names {what} (looked at: {listed})"
        return concluded(Verdict.PLAUSIBLE, statement(text, commit=look.at.id), *related, look=look)
    said = [_names(look, name, file, line, dev=dev) for file, (line, dev) in found[:_LISTED]]
    if all(dev for _, (_, dev) in found):
        only = statement(f"`{plain(name)}` is named for development alone; an image for production leaves such out")
        return concluded(Verdict.PLAUSIBLE, only, *said, *related, look=look)
    step = "look at the log of the build whether it was installed, and from which requirement file"
    return concluded(Verdict.NO_EVIDENCE, *said, *related, look=look, next_step=step)


def _names(look: CodeQuestion, name: str, file: str, line: int, *, dev: bool) -> Evidence:
    text = f"`{plain(file)}`, line {line}, names `{plain(name)}` at commit {look.at.short}"
    return statement(text + (", for development" if dev else ""), file=file, line=str(line), commit=look.at.id)


def _removed(
    look: CodeQuestion, files: Sequence[str], find: Callable[[str, str], tuple[int, bool] | None]
) -> Evidence | None:
    """Find the commit that took a package out of a requirement file."""
    for file in files:
        touches = look.base.touching(look.at, (file,), most=_VERSIONS).found
        for newer, older in pairwise(touches):
            at = _line_of(look, older, file, find)
            if at is not None:
                text = f"{name_commit(newer.commit)} took it out of `{plain(file)}` (line {at} before)"
                return statement(text, commit=newer.commit.id, file=file, line=str(at))
    return None


def _line_of(
    look: CodeQuestion, touch: Touch, file: str, find: Callable[[str, str], tuple[int, bool] | None]
) -> int | None:
    text = look.base.text(touch.commit, file) if touch.present else None
    at = find(file, text) if text else None
    return at[0] if at else None


def _python_line(file: str, text: str, names: Sequence[str]) -> tuple[int, bool] | None:
    name = file.rpartition("/")[2]
    dev = _FOR_DEVELOPERS.search(file) is not None
    if name.endswith(".toml"):
        return _toml_line(text, names)
    word = re.compile(r"[A-Za-z0-9][\w.-]*")
    lock = name.endswith(".lock")
    for number, line in enumerate(text.split("\n"), 1):
        body = line.partition("#")[0].strip()
        if lock and not body.startswith(("name =", '"')):
            continue
        words = word.findall(body.removeprefix("name =") if lock else body)
        # setup.py and environment files name packages anywhere in a line; requirement files at its beginning.
        first = words[:1] if lock or name.endswith((".txt", ".in")) else words
        if any(normalize(each) in names for each in first):
            return number, dev
    return None


def _toml_line(text: str, names: Sequence[str]) -> tuple[int, bool] | None:
    """Find a distribution in pyproject.toml: of the project itself, or in an optional or developers' group."""
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
    own = [
        *_strings(value_at(table, "project", "dependencies")),
        *_keys(value_at(table, "tool", "poetry", "dependencies")),
    ]
    groups = (("project", "optional-dependencies"), ("dependency-groups",), ("tool", "poetry", "group"), ("tool", "uv"))
    others = [text for path in groups for text in _strings(value_at(table, *path))]
    others += _keys(value_at(table, "tool", "poetry", "dev-dependencies"))
    for listed, dev in ((own, False), (others, True)):
        for each in listed:
            if normalize(re.split(r"[\s\[<>=!~;@(]", each.strip(), maxsplit=1)[0]) in names:
                return _line_with(text, each), dev
    return None


def _node_line(file: str, text: str, package: str) -> tuple[int, bool] | None:
    if not file.endswith("package.json"):
        # Lock files hold whatever anything needs; only being asked for counts as being named.
        return None
    try:
        table = json.loads(text)
    except (ValueError, RecursionError):
        return None
    for key, dev in (("dependencies", False), ("optionalDependencies", False), ("devDependencies", True)):
        if package in _keys(value_at(table, key)):
            return _line_with(text, f'"{package}"'), dev
    return None


def _line_with(text: str, part: str) -> int:
    lines = text.split("\n")
    return next((number for number, line in enumerate(lines, 1) if part in line), 1)


def _keys(value: Any) -> list[str]:
    return [str(key) for key in value] if isinstance(value, dict) else []


def _strings(value: Any, depth: int = 4) -> list[str]:
    """List the texts anywhere in a table, and its keys: groups are lists in one tool and tables in another."""
    if isinstance(value, str):
        return [value]
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return _keys(value) + ([text for each in inner for text in _strings(each, depth - 1)] if depth else [])
