"""Check that a rule's template parses and names only values that exist."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forensics.schema.diagnostics import nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from forensics.schema.diagnostics import Diagnostics, Location

PROVIDED = frozenset(
    {"frame", "exception", "count", "of", "lag", "entries", "occurrences", "unit", "linked"},
)
"""Names that every template sees, besides the captures of its rule."""
_PARTS = {"frame": frozenset({"file", "line", "function", "owner"}), "exception": frozenset({"type", "value", "chain"})}

_PLAIN = re.compile(r"\{\{\s*(?P<name>[a-z_][a-z0-9_]*)(?:\.(?P<part>[a-z_]+))?\s*\}\}", re.ASCII)
"""`{{ type_name }}` or `{{ frame.file }}`: nearly every template has nothing else, and needs no Jinja to be checked."""
_SPECIAL = re.compile(r"\{[{%#]|[%#}]\}")


def check_template(template: str, captures: Collection[str], location: Location, diagnostics: Diagnostics) -> None:
    """Note a template that does not parse, and every unknown name in it."""
    if not _SPECIAL.search(_PLAIN.sub("", template)):
        names = [(found["name"], found["part"]) for found in _PLAIN.finditer(template)]
        _check_names(names, captures, location, diagnostics)
        return
    import jinja2  # noqa: PLC0415 - 60 ms that most rule files do not need

    try:
        names = list(_names(template))
    except jinja2.TemplateSyntaxError as error:
        diagnostics.add(location, f"the template does not parse: {error.message}")
        return
    _check_names(names, captures, location, diagnostics)


def _names(template: str) -> Iterator[tuple[str, str | None]]:
    """Yield the free names of a template with their parts: ("frame", "file") for `frame.file`, ("unit", None)."""
    from jinja2 import Environment, meta, nodes  # noqa: PLC0415 - as above

    tree = Environment(autoescape=True).parse(template)
    yield from ((name, None) for name in sorted(meta.find_undeclared_variables(tree)))
    for access in tree.find_all(nodes.Getattr):
        if isinstance(access.node, nodes.Name) and access.node.name in _PARTS:
            yield access.node.name, access.attr


def _check_names(
    names: list[tuple[str, str | None]], captures: Collection[str], location: Location, diagnostics: Diagnostics
) -> None:
    known = PROVIDED | set(captures)
    for name, part in names:
        if name in _PARTS and name not in captures:
            if part is not None and part not in _PARTS[name]:
                parts = ", ".join(sorted(_PARTS[name]))
                diagnostics.add(location, f"the template asks for {name}.{part}; {name} has {parts}")
        elif name not in known:
            words = f"the template names {name!r}, which no pattern of 'match' captures"
            diagnostics.add(
                location, f"{words}{nearest(name, known)}; every template sees {', '.join(sorted(PROVIDED))}"
            )
