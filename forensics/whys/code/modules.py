"""Find out what became of a missing module: its fate in the repository."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from forensics.model import Verdict
from forensics.whys.code.absent import gone, in_other_case, other_case, present, submodule_evidence
from forensics.whys.code.code_view import CodeQuestion, concluded, statement
from forensics.whys.code.distributions import node_package, python_distribution
from forensics.whys.code.paths import below, find_file
from forensics.whys.code.standard import standard_module
from forensics.whys.wording import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.whys.contexts import EvidenceResult

_NODE_ENDINGS = ("", ".js", ".mjs", ".cjs", ".json", ".node", ".ts", ".tsx", ".mts", ".cts", ".jsx")
_COMPILED = ("dist/", "build/", "lib/", "out/")
"""Folders that a build makes, and git does not hold."""


def python_module(look: CodeQuestion, module: str) -> EvidenceResult:
    """Tell the fate of a Python module, `shop.payments` or `main.py`."""
    parts = module.removesuffix(".py").split(".")
    if not all(part.isidentifier() for part in parts):
        return python_distribution(look, module)
    way = "/".join(parts)
    roots = _roots(parts[0], look)
    fitting = [root + way for root in roots if module_files(root + way, look.files)]
    if len(fitting) > 1:
        return _several(look, fitting)
    if fitting:
        members = module_files(fitting[0], look.files)
        return present(look, members[0] if members == [f"{fitting[0]}.py"] else f"{fitting[0]}/", members)
    if roots or _has_history(look, parts[0]):
        return _not_held(look, [root + way for root in roots or [""]])
    return standard_module(look, module) or python_distribution(look, module)


def _not_held(look: CodeQuestion, candidates: Sequence[str]) -> EvidenceResult:
    """Tell the fate of a module of the application's own packages that the commit does not hold."""
    for path in candidates:
        inside = submodule_evidence(look, path)
        if inside is not None:
            return concluded(Verdict.PLAUSIBLE, inside, look=look)
    paths = tuple(name for path in candidates for name in (path, f"{path}.py"))
    cased = other_case(paths, look.files)
    if cased is not None:
        return in_other_case(look, f"{candidates[0]}.py", cased)
    return gone(look, (f"{candidates[0]}/", f"{candidates[0]}.py"), paths, f"{candidates[0]}/__init__.py")


def module_files(path: str, files: Sequence[str]) -> list[str]:
    """List the files that are a module: `shop/payments.py`, or all code of the package `shop/payments/`."""
    single = [file for file in files if file == f"{path}.py"]
    if single:
        return single
    inside = below(path, files)
    return [file for file in inside if file.endswith((".py", ".so", ".pyd"))] or inside


def _roots(top: str, look: CodeQuestion) -> list[str]:
    """List the folders from which a top-level package can be imported, "", `src/`; the frame's own where it tells."""
    found: dict[str, None] = {}
    for file in look.files:
        if not file.endswith(".py"):
            continue
        folders = file.split("/")
        names = [*folders[:-1], folders[-1].removesuffix(".py")]
        if top in names:
            at = names.index(top)
            found.setdefault("".join(f"{part}/" for part in folders[:at]))
    own = find_file(look.frame_file, look.files).path if look.frame_file else None
    fitting = [root for root in found if own is not None and own.startswith(f"{root}{top}/")]
    return fitting or sorted(found, key=lambda root: (root.count("/"), root))


def _has_history(look: CodeQuestion, top: str) -> bool:
    """Tell whether git ever held a top-level module or package at the root."""
    heads = (look.at, look.base.head())
    return any(look.base.touching(commit, (top, f"{top}.py"), most=1).found for commit in heads)


def _several(look: CodeQuestion, paths: list[str]) -> EvidenceResult:
    listed = ", ".join(f"`{plain(path)}`" for path in paths[:4])
    text = f"several folders of commit {look.at.short} fit: {listed}"
    step = "name the folder that the image is built from: --repo PATH/TO/FOLDER"
    return concluded(Verdict.NO_EVIDENCE, statement(text, commit=look.at.id), look=look, next_step=step)


def node_module(look: CodeQuestion, module: str) -> EvidenceResult:
    """Tell the fate of a module of Node.js: `express`, `@scope/x/y`, `./routes/orders`, `/app/dist/server.js`."""
    name = module.removeprefix("file://")
    if name.startswith("."):
        name = _beside_the_frame(look, name)
    elif not name.startswith("/"):
        scoped = name.split("/")
        return node_package(look, "/".join(scoped[: 2 if name.startswith("@") else 1]))
    if name.startswith("/") and "/node_modules/" in name:
        inner = name.rpartition("/node_modules/")[2].split("/")
        return node_package(look, "/".join(inner[: 2 if inner[0].startswith("@") else 1]))
    return _node_file(look, name)


def _node_file(look: CodeQuestion, name: str) -> EvidenceResult:
    for ending in _NODE_ENDINGS:
        found = find_file(name + ending, look.files)
        if found.several:
            return _several(look, list(found.several))
        if found.path is not None:
            return present(look, found.path, [found.path])
    folder = _without_root(name)
    inside = below(folder, look.files)
    if inside:
        return present(look, f"{folder}/", inside)
    cased = other_case([folder + ending for ending in _NODE_ENDINGS], look.files)
    if cased is not None:
        return in_other_case(look, folder, cased)
    if folder.startswith(_COMPILED):
        text = f"`{plain(folder)}` is not in commit {look.at.short}: a build makes it, or nothing does"
        step = "see whether the Dockerfile compiles (npm run build) and copies the result"
        return concluded(Verdict.NO_EVIDENCE, statement(text, commit=look.at.id), look=look, next_step=step)
    return gone(look, (folder,), tuple(folder + ending for ending in _NODE_ENDINGS), folder)


def _beside_the_frame(look: CodeQuestion, name: str) -> str:
    """Resolve a relative module from the file that asks for it; without one, from where images keep applications."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(look.frame_file or "/app/x"), name))


def _without_root(name: str) -> str:
    for root in ("/usr/src/app/", "/usr/app/", "/workspace/", "/app/", "/srv/", "/"):
        if name.startswith(root):
            return name.removeprefix(root)
    return name
