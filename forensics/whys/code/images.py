"""Find the Python version of an image: from the nearest Dockerfile, else from a file that names one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from forensics.whys.code.related import is_dockerfile

if TYPE_CHECKING:
    from forensics.whys.code.code_view import CodeQuestion

_ARG = re.compile(r"^\s*ARG\s+(?P<name>\w+)=(?P<value>[\"']?)(?P<text>[^\s\"']*)(?P=value)\s*$", re.IGNORECASE)
_FROM = re.compile(r"^\s*FROM\s+(?:--\S+\s+)*(?P<image>\S+)(?:\s+AS\s+(?P<stage>[\w.-]+))?\s*(?:#.*)?$", re.IGNORECASE)
_USE = re.compile(r"\$\{?(?P<name>\w+)(?::-(?P<default>[^}]*))?\}?")
_PYTHON = re.compile(
    r"(?:^|/)python:3\.(?P<minor>\d{1,2})(?:\D|$)|(?:^|[/_-])python3?[.:_-]?3\.?(?P<other>\d{1,2})(?:\D|$)"
)
"""python:3.11-slim, europe-docker.pkg.dev/x/python:3.9; ghcr.io/astral-sh/uv:python3.12-bookworm"""
_PLAIN = re.compile(r"^[^\S\n]*+(?:python-|python\s++)?3\.(?P<minor>\d{1,2})(?:\.\d+)?[^\S\n]*$", re.MULTILINE)


class ImagePython(Struct, frozen=True, kw_only=True):
    """Which Python an image has, and which line says so."""

    minor: int
    file: str
    line: int


def image_python(look: CodeQuestion, path: str) -> ImagePython | None:
    """Find the Python of the image that a file goes into: by the nearest Dockerfile, else by a file that names one.

    None where nothing says it, or where Dockerfiles at one place differ.
    """
    folders = [folder for file in look.files if _is_above(folder := file.rpartition("/")[0], path)]
    for folder in sorted(set(folders), key=lambda name: (-name.count("/") - bool(name), name)):
        own = [file for file in look.files if file.rpartition("/")[0] == folder]
        found = [version for file in own if is_dockerfile(file) if (version := _of_dockerfile(look, file))]
        if {version.minor for version in found}:
            return found[0] if len({version.minor for version in found}) == 1 else None
    for name in (".python-version", "runtime.txt", ".tool-versions"):
        text = look.base.text(look.at, name) if name in look.files else None
        plain = _PLAIN.search(text) if text else None
        if text and plain:
            return ImagePython(minor=int(plain["minor"]), file=name, line=text[: plain.start("minor")].count("\n") + 1)
    return None


def _is_above(folder: str, path: str) -> bool:
    return not folder or path.startswith(f"{folder}/")


def _of_dockerfile(look: CodeQuestion, file: str) -> ImagePython | None:
    """Read the base of the last stage, through the stages that it is built on."""
    text = look.base.text(look.at, file) or ""
    arguments: dict[str, str] = {}
    runs: dict[str, tuple[str, int]] = {}
    last: tuple[str, int] | None = None
    for number, line in enumerate(text.split("\n"), 1):
        argument, run = _ARG.match(line), _FROM.match(line)
        if argument and last is None:
            arguments[argument["name"]] = argument["text"]
        if run:
            image = _USE.sub(lambda use: arguments.get(use["name"]) or use["default"] or "", run["image"])
            last = runs.get(image.lower(), (image, number))
            if run["stage"]:
                runs[run["stage"].lower()] = last
    found = _PYTHON.search(last[0]) if last else None
    if last is None or found is None:
        return None
    return ImagePython(minor=int(found["minor"] or found["other"]), file=file, line=last[1])
