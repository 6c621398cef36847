"""Write the documents of a report, a cycle or a gate from their templates."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FunctionLoader, StrictUndefined, TemplateError as JinjaError
from jinja2.sandbox import SandboxedEnvironment

from forensics.errors import TemplateError
from forensics.rendering import (
    citation_links as citing,
    cycle_documents as cycles,
    graph,
    labels as words,
    next_steps as steps,
)
from forensics.rendering.document_headers import Document, Purpose, find_documents
from forensics.rendering.escape import code, fence, markdown, mermaid
from forensics.rendering.template_cache import CompiledTemplates
from forensics.system.resources import bundled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

    from forensics.model import Cycle, GateResult, Report

_MISUSES = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What filters and operators raise when a template gives them a value that they were not written for."""
_FENCE = re.compile(r"`{3,}")


def render_documents(report: Report, user_templates: Traversable | None) -> Iterator[tuple[str, str]]:
    """Yield (name, text) of every document of a report, shipped documents first."""
    environment = _environment(user_templates)
    shared = {"report": report, **words.lookups(report)}
    for document in find_documents(user_templates):
        for name, values in instances(document, report):
            yield name, _render(environment, document.template, shared | values, own=user_templates is not None)


def instances(document: Document, report: Report) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (name, variables) for each time that a document is written: the variables are those of one thing."""
    match document.purpose:
        case Purpose.REPORT:
            yield document.file(), {}
        case Purpose.COMPARISON if report.comparison is not None:
            yield document.file(), {"comparison": report.comparison}
        case Purpose.INCIDENT:
            postmortems = {one.incident: one for one in report.postmortems}
            for incident in report.incidents:
                yield document.file(incident.id), {"incident": incident, "postmortem": postmortems.get(incident.id)}
        case Purpose.CLUSTER:
            for cluster, finding in zip(report.clusters, report.findings, strict=True):
                yield document.file(cluster.id), {"cluster": cluster, "finding": finding}


def render_cycle(cycle: Cycle, user_templates: Traversable | None) -> Iterator[tuple[str, str]]:
    """Yield (name, text) of every document of a cycle."""
    environment = _environment(user_templates)
    values = {"cycle": cycle, **cycles.lookups(cycle)}
    for document in find_documents(user_templates):
        if document.purpose is Purpose.CYCLE:
            text = _render(environment, document.template, values, own=user_templates is not None)
            yield document.file(f"{cycle.number:04d}"), text


def render_gate(report: Report, gate: GateResult) -> str:
    """Write a gate's summary as Markdown, for the page that a CI run shows."""
    environment, values = _environment(None), {"report": report, "gate": gate}
    pages = [document for document in find_documents(None) if document.purpose is Purpose.GATE]
    return "\n".join(_render(environment, document.template, values, own=False) for document in pages)


def _environment(user_templates: Traversable | None) -> Environment:
    environment = SandboxedEnvironment(
        loader=FunctionLoader(partial(_load, user_templates)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters |= {
        "md": markdown,
        "code": code,
        "mermaid": mermaid,
        "fence": fence,
        **words.FILTERS,
        **citing.FILTERS,
        **graph.FILTERS,
        **cycles.FILTERS,
        **steps.FILTERS,
    }
    environment.bytecode_cache = CompiledTemplates(environment.filters)
    return environment


def _load(user_templates: Traversable | None, name: str) -> str | None:
    for folder in filter(None, (user_templates, bundled("templates"))):
        file = folder / name
        if file.is_file():
            return file.read_text("utf-8")
    return None


def _render(environment: Environment, name: str, values: dict[str, Any], *, own: bool) -> str:
    """Fill a template; `own` says that a user's templates take part."""
    try:
        return _tidy(environment.get_template(name).render(values))
    except (JinjaError, *_MISUSES) as error:
        if not own and not isinstance(error, JinjaError):
            raise  # shipped templates and filters fit together: a fault of the program
        line = getattr(error, "lineno", None) or _line(error)
        raise TemplateError(
            f"template {name}{f':{line}' if line else ''}: {error}; mend it or leave --templates away"
        ) from error


def _line(error: Exception) -> int | None:
    """Return the line of a template at which an error was raised."""
    found, at = None, error.__traceback__
    while at is not None:
        found = at.tb_lineno if at.tb_frame.f_code.co_filename == "<template>" else found
        at = at.tb_next
    return found


def _tidy(text: str) -> str:
    """Leave one blank line where templates left several, except in blocks of code, and none at the end."""
    lines: list[str] = []
    fence = ""
    for line in text.split("\n"):
        marks = _FENCE.match(line)
        if fence:
            fence = "" if marks and line.strip() == fence else fence
        elif marks:
            fence = marks.group()
        elif not line.strip() and (not lines or not lines[-1]):
            continue
        # Two blanks at the end of a line break it; one blank is what an empty value left.
        lines.append(line if fence or (line.endswith("  ") and line.strip()) else line.rstrip())
    return "\n".join(lines).rstrip("\n") + ("\n" if text.endswith("\n") else "")
