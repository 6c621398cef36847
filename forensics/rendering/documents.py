"""A report in, the text of each document out, by the templates in `templates/`."""

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
from forensics.rendering.escape import code, fence, markdown, mermaid
from forensics.rendering.template_cache import CompiledTemplates
from forensics.system.resources import bundled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

    from forensics.model import Cycle, GateResult, Report

_FENCE = re.compile(r"`{3,}")


def render_documents(report: Report, user_templates: Traversable | None) -> Iterator[tuple[str, str]]:
    """Yield (name, text) of every Markdown document, `index.md` first."""
    environment = _environment(user_templates)
    shared = {"report": report, **words.lookups(report)}
    yield "index.md", _render(environment, "index.md.j2", shared)
    yield "postmortem.md", _render(environment, "postmortem.md.j2", shared)
    if report.comparison is not None:
        yield "comparison.md", _render(environment, "comparison.md.j2", shared)
    for cluster, finding in zip(report.clusters, report.findings, strict=True):
        # A cluster's id is made of a rule's id and hex digits: no part of a log becomes a path.
        yield (
            f"five-whys/{cluster.id}.md",
            _render(environment, "five-whys.md.j2", shared | {"cluster": cluster, "finding": finding}),
        )


def render_cycle(cycle: Cycle, user_templates: Traversable | None) -> str:
    """Return the Markdown document of a cycle."""
    return _render(_environment(user_templates), "cycle.md.j2", {"cycle": cycle, **cycles.lookups(cycle)})


def render_gate(report: Report, gate: GateResult) -> str:
    """Write a gate's summary as Markdown, for the page that a CI run shows."""
    return _render(_environment(None), "gate.md.j2", {"report": report, "gate": gate})


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


def _render(environment: Environment, name: str, values: dict[str, Any]) -> str:
    try:
        return _tidy(environment.get_template(name).render(values))
    except JinjaError as error:
        line = getattr(error, "lineno", None)
        raise TemplateError(
            f"template {name}{f':{line}' if line else ''}: {error}; mend it or leave --templates away"
        ) from error


def _tidy(text: str) -> str:
    """Leave one blank line where templates left several, outside of blocks of code, and none at the end."""
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
