"""Select the files that decide what an image holds, and the commits that changed them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forensics.whys.code.code_view import LISTED, CodeQuestion, name_commit, statement
from forensics.whys.wording import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.model import Evidence

_DOCKERFILE = re.compile(r"(?:^|/)(?:Dockerfile|Containerfile)(?:\.[\w.-]+)?$|\.(?:Dockerfile|dockerfile)$")
_REQUIREMENTS = re.compile(
    r"(?:^|/)(?:[\w.-]{0,255}requirements[\w.-]{0,255}\.(?:txt|in)|requirements/[\w.-]+\.(?:txt|in)|pyproject\.toml"
    r"|setup\.(?:py|cfg)|Pipfile(?:\.lock)?|poetry\.lock|uv\.lock|pdm\.lock|environment\.ya?ml)$"
)
_PACKAGES = re.compile(r"(?:^|/)(?:package(?:-lock)?\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|deno\.jsonc?)$")
_OTHERS = re.compile(
    r"(?:^|/)(?:\.python-version|runtime\.txt|\.tool-versions|\.nvmrc|\.node-version|go\.(?:mod|sum)|pom\.xml"
    r"|build\.gradle(?:\.kts)?|Gemfile(?:\.lock)?|composer\.(?:json|lock)|Cargo\.(?:toml|lock)|global\.json"
    r"|Procfile|project\.toml|cloudbuild\.ya?ml|[\w.-]*\.dockerignore|\.gcloudignore)$"
)
_COMMITS = 200
_MOST = 60
"""Files whose history is looked up, the nearest to the root first: a monorepo has hundreds."""


def is_dockerfile(path: str) -> bool:
    """Tell a Dockerfile, `web.Dockerfile` and `Dockerfile.web` among them, but no ignore file of one."""
    return _DOCKERFILE.search(path) is not None and not path.endswith(".dockerignore")


def is_requirements(path: str) -> bool:
    """Tell a file that names Python distributions."""
    return _REQUIREMENTS.search(path) is not None


def is_packages(path: str) -> bool:
    """Tell a file that names packages of Node.js."""
    return _PACKAGES.search(path) is not None


def is_related(path: str) -> bool:
    """Tell a file that decides what an image holds or what runs it."""
    return is_dockerfile(path) or any(kind.search(path) for kind in (_REQUIREMENTS, _PACKAGES, _OTHERS))


def related_commits(look: CodeQuestion, own: Sequence[str]) -> list[Evidence]:
    """Cite the commits between baseline and deployed commit that touch given paths or what decides about the image."""
    baseline = look.base.baseline
    if baseline is None:
        return []
    if baseline.id == look.at.id:
        return [statement(f"baseline and deployed commit are the same, {look.at.short}", commit=look.at.id)]
    deciding = {file for commit in (look.at, baseline) for file in look.base.files(commit) if is_related(file)}
    ordered = sorted(deciding, key=lambda path: (path.count("/"), path))[:_MOST]
    paths = tuple(dict.fromkeys((*own, *ordered)))
    newest = look.base.touching(look.at, paths, after=baseline, most=_COMMITS).found
    between = f"between {baseline.short} and {look.at.short}"
    if not newest:
        return [statement(f"no commit {between} touches it, nor a file that decides what the image holds")]
    said = "; ".join(f"{name_commit(touch.commit)} touches {_names(touch.paths)}" for touch in newest[:LISTED])
    rest = f"; and {len(newest) - LISTED} more" if len(newest) > LISTED else ""
    return [statement(f"{between}: {said}{rest}", commit=newest[0].commit.id, baseline=baseline.id)]


def _names(paths: Sequence[str]) -> str:
    listed = ", ".join(f"`{plain(path)}`" for path in paths[:3])
    return f"{listed} and {len(paths) - 3} more" if len(paths) > 3 else listed  # noqa: PLR2004 - names in a sentence
