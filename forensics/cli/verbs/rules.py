"""`forensics rules`: list rules, show one, and check them against their own examples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from forensics.errors import RuleError

if TYPE_CHECKING:
    from forensics.model import Rule


@click.group("rules")
def command() -> None:
    """List, show and check the rule files.

    \b
    Examples:
      forensics rules list
      forensics rules check --rules my-rules
    """  # noqa: D301 - click's mark for text that is not to be wrapped


_rules_option = click.option(
    "--rules", "folders", multiple=True, type=click.Path(path_type=Path), metavar="DIR", help="More rules; repeatable."
)


def _load(folders: tuple[Path, ...]) -> dict[str, Rule]:
    from forensics.rulebook import load_rules  # noqa: PLC0415 - heavy

    rules, _ = load_rules(folders)
    return {rule.id: rule for rule in rules}


@command.command("list")
@_rules_option
def list_rules(folders: tuple[Path, ...]) -> None:
    """List every rule: id, role, priority, class, title."""
    for rule in sorted(_load(folders).values(), key=lambda r: (r.role.rank, r.id)):
        click.echo(f"{rule.role:9}  {rule.priority}  {rule.id:34}  {rule.failure_class:20}  {rule.title}")


@command.command("show")
@click.argument("rule_id", metavar="ID")
@_rules_option
def show(rule_id: str, folders: tuple[Path, ...]) -> None:
    """Print a rule's file."""
    rules = _load(folders)
    if rule_id not in rules:
        from difflib import get_close_matches  # noqa: PLC0415

        near = get_close_matches(rule_id, rules, 3)
        raise RuleError(
            f"no rule {rule_id!r}" + (f"; did you mean {', '.join(near)}?" if near else "; see `forensics rules list`")
        )
    from forensics.rulebook import rule_text  # noqa: PLC0415

    click.echo(rule_text(rules[rule_id], folders).rstrip("\n"))


@command.command("check")
@_rules_option
def check(folders: tuple[Path, ...]) -> None:
    """Load every rule and hold it against its own examples."""
    from forensics.pipeline import check_rules  # noqa: PLC0415

    rules = _load(folders)
    problems = check_rules(tuple(rules.values()))
    if problems:
        raise RuleError("\n".join(problems))
    examples = sum(len(r.tests.match) + len(r.tests.no_match) for r in rules.values())
    click.echo(f"{len(rules)} rules, {examples} examples: every one is claimed, or left alone, as its rule says")
