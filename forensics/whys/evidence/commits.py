"""Evidence `commits`: what changed in the code."""

from __future__ import annotations

import re
import shlex

from forensics.exceptions import innermost_frame
from forensics.model import Evidence, Verdict, WhyRule
from forensics.whys.scene import Gathered, Scene
from forensics.whys.wording import context, dotted, speaker

_IMAGE_ROOT = re.compile(r"^/(?:app|workspace|usr/src/app|srv|code|src|home/site/wwwroot)/")
"""Where images usually keep the repository's root."""


def gather(why: WhyRule, scene: Scene) -> Gathered:
    """Say what to look at: logs do not show code."""
    named = why.evidence.get("touching") if isinstance(why.evidence, dict) else None
    path = _path(str(named), scene) if named else None
    where = "between the revision before and this one"
    # A name from a log stands in a command that somebody will paste: quoted for the shell.
    step = f"`git log -p -- {shlex.quote(path)}`, {where}" if path else f"read the commits {where}"
    evidence = Evidence(kind="commits", statement="logs do not show code")
    return Gathered(verdict=Verdict.NOT_OBSERVABLE, evidence=(evidence,), next_step=step)


def _path(named: str, scene: Scene) -> str | None:
    """Write what a why names as the path that git knows: a file, or a dotted module; None for a library's."""
    frame = innermost_frame(speaker(scene))
    if named.startswith("frame.") and (frame is None or not frame.in_app):
        return None
    value = dotted(context(scene), named)
    parts = value.split(".") if value else []
    if value and len(parts) > 1 and "/" not in value and all(part.isidentifier() for part in parts):
        return f"{'/'.join(parts)}*"
    return _IMAGE_ROOT.sub("", value) if value else None
