"""`forensics rules`: list, show and check the rule files, and explain which of them match an entry."""

from __future__ import annotations

import re
import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forensics.errors import NoEntriesError, RuleError, UsageError
from forensics.model import Level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forensics.model import LogEntry, Rule

_LIKE_A_PATH = re.compile(r"[\\/]|\.(?:jsonl?|ndjson|log|csv|tsv|ya?ml|gz|zst|zip|tar)\Z", re.IGNORECASE)
"""A path rather than an insertId: `logs/entry.json`, `entry.ndjson`."""


@click.group("rules")
def command() -> None:
    """List, show and check the rule files, and explain which rules match an entry.

    \b
    Examples:
      forensics rules list
      forensics rules check --rules my-rules
      forensics rules explain entry.json
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


@command.command("explain")
@click.argument("target", metavar="FILE|ID")
@click.option(
    "--logs",
    multiple=True,
    metavar="PATH",
    help="File, folder, glob or - (stdin) to search for an insertId; repeatable. [default: settings]",
)
@_rules_option
@click.option("--json", "as_json", is_flag=True, help="Print the explanations as JSON.")
def explain(target: str, logs: tuple[str, ...], folders: tuple[Path, ...], *, as_json: bool) -> None:
    """Explain which rules match an entry, why, and which nearly do.

    FILE holds one or more entries (- is stdin). ID is an insertId, looked up in --logs; put -- before one that begins
    with a dash.

    \b
    Examples:
      forensics rules explain entry.json
      forensics rules explain 69a4dc49000d8c2bb51caf07 --logs samples/netra-backend-staging/logs
    """  # noqa: D301 - click's mark for text that is not to be wrapped
    from forensics.classify import Explainer  # noqa: PLC0415 - heavy
    from forensics.cli.screens.explanation_screen import encode, lines  # noqa: PLC0415 - heavy
    from forensics.cli.settings import find_settings  # noqa: PLC0415 - the other commands need no settings

    settings = find_settings(Path.cwd())
    rules = tuple(_load((*map(Path, settings.rules), *folders)).values())
    is_file = not logs and (target == "-" or Path(target).exists() or _LIKE_A_PATH.search(target) is not None)
    entries = _entries((target,), rules) if is_file else _entries(logs or settings.logs, rules, insert_id=target)
    explainer = Explainer(rules)
    explanations = tuple(map(explainer.explain, entries))
    if as_json:
        sys.stdout.buffer.write(encode(explanations))
    else:
        for line in lines(explanations):
            click.echo(line)


def _entries(logs: Sequence[str], rules: Sequence[Rule], insert_id: str | None = None) -> Sequence[LogEntry]:
    """Read entries, all of them or those with an insertId; pieces of one message are joined.

    Raises:
        UsageError: there are no logs to search.
        NoEntriesError: there is no entry, or none with that insertId.
        SourceError: a file cannot be read, or is no log.
    """
    from forensics.classify import RequestPrefilter  # noqa: PLC0415 - heavy
    from forensics.entries import FastIndexReader, all_entries, collect, entries_with_id  # noqa: PLC0415 - heavy
    from forensics.sources import FileRecordStore, Indexing, read_records  # noqa: PLC0415 - heavy

    if not logs:
        raise UsageError(
            f"{insert_id!r} is no file, and there are no logs to search for that insertId: "
            "add --logs PATH, or set logs = […] in forensics.toml"
        )
    reader = partial(FastIndexReader, prefilter=RequestPrefilter(rules, Level.ERROR))
    stdin = sys.stdin.buffer if "-" in logs else None
    where = ", ".join("standard input" if path == "-" else path for path in logs)
    with closing(FileRecordStore()) as store:
        log_index = collect(read_records(logs, stdin, indexing=Indexing(store=store, reader=reader)), store)
        count = "1 entry" if log_index.read == 1 else f"{log_index.read:,} entries"
        if insert_id is None:
            found = all_entries(log_index, store)
            if not found:
                raise NoEntriesError(f"no entry in {where}: give a file that holds entries of Cloud Logging")
            return found
        found = entries_with_id(insert_id, log_index, store)
        if not found:
            raise NoEntriesError(
                f"no entry with the insertId {insert_id!r} in {where} ({count} read): "
                "check the id, or name other logs with --logs"
            )
        return found
