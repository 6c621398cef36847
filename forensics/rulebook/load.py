"""Load the rules of all folders, or raise one error that lists the faults of all files."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from forensics.errors import RuleError
from forensics.model import Rule, RulebookInfo
from forensics.rulebook.folders import SUFFIX, RuleFile, all_files, read_text
from forensics.rulebook.rule_cache import keep_rules, kept_rules
from forensics.schema.diagnostics import Diagnostics

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


class RuleFileResult(NamedTuple):
    """One file as it was read: a rule, or None and the faults."""

    stem: str
    rule: Rule | None
    diagnostics: Diagnostics


def load_rules(user_folders: Sequence[Path] = ()) -> tuple[tuple[Rule, ...], RulebookInfo]:
    """Load the shipped rules, overridden by those of the user's folders.

    Raises:
        RuleError: every fault of every file, a line each.
    """
    shipped_files, own_files = all_files(user_folders)
    kept = kept_rules(shipped_files)
    if kept is not None and not own_files:
        return kept, _info(kept)
    shipped, own = _layers(map(read_file, shipped_files) if kept is None else map(_as_read, kept), own_files)
    if kept is not None and any(reading.diagnostics for reading in shipped):
        # Cached rules have no line numbers: for faults together with the user's rules, read the shipped files again.
        shipped, own = _layers(map(read_file, shipped_files), own_files)
    chosen = {reading.stem: reading for reading in (*shipped, *own)}
    faulty = [reading.diagnostics for reading in (*shipped, *own) if reading.diagnostics]
    if faulty:
        raise RuleError("\n".join(line for diagnostics in faulty for line in diagnostics.messages()))
    rules = tuple(chosen[stem].rule for stem in sorted(chosen))
    overridden = {reading.stem for reading in shipped} & {reading.stem for reading in own}
    found = tuple(rule for rule in rules if rule is not None)
    info = _info(found, user_folders, overridden)
    if not own_files:
        keep_rules(shipped_files, found)
    return found, info


def _info(rules: Sequence[Rule], folders: Sequence[Path] = (), overridden: Iterable[str] = ()) -> RulebookInfo:
    return RulebookInfo(
        count=len(rules),
        folders=tuple(map(str, folders)),
        overridden=tuple(sorted(overridden)),
        versions={rule.id: rule.version for rule in rules},
    )


def rule_text(rule: Rule, user_folders: Sequence[Path] = ()) -> str:
    """Return the text of the file that a rule was loaded from."""
    shipped, own = all_files(user_folders)
    for rule_file in (*own, *shipped):
        if rule_file.source == rule.source:
            return read_text(rule_file)
    raise RuleError(f"{rule.source}: the file of rule {rule.id!r} is not there any more")


def read_file(rule_file: RuleFile) -> RuleFileResult:
    """Read one file by itself; references to other rules are checked when all are read."""
    # Imported here, with YAML behind them: shipped rules are kept as parsed, and most runs read no rule file.
    from forensics.rulebook.rule_file import read_rule  # noqa: PLC0415 - see above
    from forensics.rulebook.yaml_document import DocumentError, parse_document  # noqa: PLC0415 - see above

    diagnostics = Diagnostics(rule_file.source, {})
    if not rule_file.file.name.endswith(SUFFIX):
        diagnostics.add((), f"rule files end in {SUFFIX}; rename it to {rule_file.stem.removesuffix('.yml')}{SUFFIX}")
        return RuleFileResult(rule_file.stem, None, diagnostics)
    try:
        data, lines = parse_document(read_text(rule_file))
    except DocumentError as error:
        diagnostics.add_line(error.line, str(error))
    except ValueError as error:
        diagnostics.add((), str(error))
    else:
        diagnostics = Diagnostics(rule_file.source, lines)
        return RuleFileResult(rule_file.stem, read_rule(data, rule_file.stem, diagnostics), diagnostics)
    return RuleFileResult(rule_file.stem, None, diagnostics)


def _as_read(rule: Rule) -> RuleFileResult:
    return RuleFileResult(rule.id, rule, Diagnostics(rule.source, {}))


def _layers(shipped: Iterable[RuleFileResult], own_files: Iterable[RuleFile]) -> tuple[tuple[RuleFileResult, ...], ...]:
    """Read the user's files, and check all rules together: unique ids, existing references."""
    layers = tuple(shipped), tuple(map(read_file, own_files))
    for layer in layers:
        _check_unique(layer)
    _check_together({reading.stem: reading for layer in layers for reading in layer})
    return layers


def _check_unique(layer: Iterable[RuleFileResult]) -> None:
    first: dict[str, str] = {}
    for reading in layer:
        other = first.setdefault(reading.stem, reading.diagnostics.source)
        if other != reading.diagnostics.source:
            reading.diagnostics.add(("id",), f"id {reading.stem!r} is taken by {other}; ids are unique")


def _check_together(chosen: dict[str, RuleFileResult]) -> None:
    """Check references between rules; the id of a faulty file counts as existing."""
    from forensics.rulebook.references import check_circle, check_references  # noqa: PLC0415 - as in read_file

    rules = {stem: reading.rule for stem, reading in chosen.items() if reading.rule is not None}
    for stem, rule in rules.items():
        check_references(rule, chosen.keys(), chosen[stem].diagnostics)
        check_circle(rule, rules, chosen[stem].diagnostics)
