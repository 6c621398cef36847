"""Evidence `commits`: what a git repository shows about the commit that was deployed."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from forensics.errors import RepositoryError
from forensics.log.root_exception import innermost_frame
from forensics.model import Evidence, FailureClass, Verdict, WhyRule
from forensics.schema.checked_values import read_table, read_text, shown
from forensics.whys.code.changes import changed
from forensics.whys.code.code_view import CodeQuestion
from forensics.whys.code.definitions import defined_name
from forensics.whys.code.modules import node_module, python_module
from forensics.whys.code.syntax import parsed_there
from forensics.whys.contexts import ClusterContext, EvidenceResult
from forensics.whys.evidence_kind import Argument, EvidenceKind, always
from forensics.whys.wording import dotted, representative, template_values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forensics.model import DeployedCommit
    from forensics.schema.checked_values import Reader
    from forensics.schema.diagnostics import Diagnostics, Location

_LANGUAGES = ("python", "node")
"""Languages whose modules can be looked for."""

_IMAGE_ROOT = re.compile(r"^/(?:app|workspace|usr/src/app|srv|code|src|home/site/wwwroot)/")
"""Where images usually keep the repository's root."""


def gather(why: WhyRule, context: ClusterContext) -> EvidenceResult:
    """Look at the repository; without one, say how to give it."""
    asked = why.evidence if isinstance(why.evidence, dict) else {}
    code = context.run.code
    if code is None:
        return _no_repository(_named(asked), context)
    deployed = code.deployed.get(context.cluster.revision)
    if deployed is None or deployed.commit is None:
        return _no_commit(deployed)
    frame = innermost_frame(representative(context))
    own = frame if frame is not None and frame.in_app else None
    look = CodeQuestion(
        base=code.base,
        at=deployed.commit,
        deployed=deployed,
        frame_file=own.file if own else None,
        frame_line=own.line if own else None,
    )
    try:
        found = _look(asked, look, context)
    except RepositoryError as error:
        evidence = Evidence(kind="commits", statement=f"the repository cannot be read to the end: {error}")
        return EvidenceResult(
            verdict=Verdict.NOT_OBSERVABLE, evidence=(evidence,), next_step="give a full, sound clone"
        )
    if "beside" in asked and found.verdict.holds:
        return replace(found, verdict=Verdict.NO_EVIDENCE)
    return found


def _named(asked: dict[str, str]) -> str:
    return str(asked.get("touching") or asked.get("beside") or "")


def _look(asked: dict[str, str], look: CodeQuestion, context: ClusterContext) -> EvidenceResult:
    """Ask the repository what a why wants to know: the fate of a module, a name, a syntax, or what changed."""
    touching = _named(asked)
    values = _values(context)
    if touching.startswith("frame."):
        return changed(look, look.frame_file, look.frame_line) if look.frame_file else _no_frame()
    named = values.get(touching)
    if named is None:
        return _unnamed(touching)
    language = asked.get("language")
    if context.cluster.failure_class is FailureClass.IMPORT_ERROR and language is not None:
        name = values.get(str(asked.get("defining")))
        if "defining" in asked and name is not None:
            return defined_name(look, named, name)
        if "defining" not in asked:
            return node_module(look, named) if language == "node" else python_module(look, named)
    line = int(values["line"]) if values.get("line", "").isdecimal() else None
    if context.cluster.failure_class is FailureClass.SYNTAX_ERROR and language == "python":
        return parsed_there(look, named, line)
    return changed(look, named, line)


def _values(context: ClusterContext) -> dict[str, str]:
    """Return the most frequent value of every capture, as the entries hold it: names of files are looked up by it."""
    return {name: counted[0][0] for name, counted in context.cluster.captures.items() if counted}


def _no_repository(named: str, context: ClusterContext) -> EvidenceResult:
    path = _path(named, context) if named else None
    # A name from a log stands in a command that somebody will paste: quoted for the shell.
    log = f"git log -p -- {shlex.quote(path)}" if path else "git log -p"
    step = (
        f"`forensics analyze … --repo PATH` looks into git; by hand `{log}`, between the revision before and this one"
    )
    evidence = Evidence(kind="commits", statement="logs do not show code")
    return EvidenceResult(verdict=Verdict.NOT_OBSERVABLE, evidence=(evidence,), next_step=step)


def _no_commit(deployed: DeployedCommit | None) -> EvidenceResult:
    statement = deployed.statement if deployed else "nothing tells which commit was deployed"
    evidence = Evidence(kind="commits", statement=statement)
    step = "name the commit that was deployed: --commit SHA"
    return EvidenceResult(verdict=Verdict.NOT_OBSERVABLE, evidence=(evidence,), next_step=step)


def _no_frame() -> EvidenceResult:
    evidence = Evidence(kind="commits", statement="these entries hold no frame of the application")
    return EvidenceResult(verdict=Verdict.NO_EVIDENCE, evidence=(evidence,))


def _unnamed(touching: str) -> EvidenceResult:
    evidence = Evidence(kind="commits", statement=f"these entries name no {touching or 'file'}")
    return EvidenceResult(verdict=Verdict.NO_EVIDENCE, evidence=(evidence,))


def _path(named: str, context: ClusterContext) -> str | None:
    """Write what a why names as the path that git knows: a file, or a dotted module; None for a library's."""
    frame = innermost_frame(representative(context))
    if named.startswith("frame.") and (frame is None or not frame.in_app):
        return None
    value = dotted(template_values(context), named)
    parts = value.split(".") if value else []
    if value and len(parts) > 1 and "/" not in value and all(part.isidentifier() for part in parts):
        return f"{'/'.join(parts)}*"
    return _IMAGE_ROOT.sub("", value) if value else None


def _read(value: Any, location: Location, diagnostics: Diagnostics) -> Argument | None:
    """Read what commits may touch, and for a module the language that maps its name to files."""
    readers: dict[str, Reader] = dict.fromkeys(("touching", "beside", "defining", "language"), read_text)
    beside = isinstance(value, dict) and "beside" in value
    found = read_table(value, location, diagnostics, readers, needed=("beside" if beside else "touching",))
    if beside and "touching" in value:
        diagnostics.add(location, "'touching' and 'beside' exclude each other: what is beside settles nothing")
        return None
    if found.get("language", _LANGUAGES[0]) not in _LANGUAGES:
        diagnostics.add(
            (*location, "language"), f"'language' is one of {', '.join(_LANGUAGES)}, not {shown(found['language'])}"
        )
        return None
    return Argument(found) if found else None


def _names(argument: Any) -> Iterator[tuple[Location, str]]:
    return (((key,), name) for key, name in argument.items() if key != "language")


KIND = EvidenceKind(
    name="commits",
    read_argument=_read,
    names_in=_names,
    gather=gather,
    names_a_thing=always,
    adds_its_step=True,
    flag="--repo PATH",
)
