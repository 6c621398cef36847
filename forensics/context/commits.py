"""Find the commit that each revision was built from, and say how it is known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from forensics.context.deployments import find_deploys
from forensics.model import CodeView, CommitSource, DeployedCommit
from forensics.text.nested_values import value_at
from forensics.text.redact import quote
from forensics.text.timestamps import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from forensics.log.entry_table import EntryTable
    from forensics.model import CodeBase, Commit, LogEntry

_HASH = re.compile(r"[0-9a-f]{7,40}")
_LABEL = re.compile(
    r"(?:^|[-_./])(?:commit(?:[-_.]?(?:sha|id|hash))?|git[-_.]?(?:sha|hash|revision)|vcs[-_.]ref|image[-_.]revision)$"
)
"""commit-sha (Cloud Build's own), gcb-build-commit, git_sha, org.opencontainers.image.revision"""
_TAG = re.compile(r":(?:[\w.-]*[_.-])?(?P<hash>[0-9a-f]{7,40})$")
"""…/shop/api:1a2b3c4, …/shop/api:staging-1a2b3c4"""
_METADATA = (("metadata",), ("spec", "template", "metadata"))


def view_of(base: CodeBase, revisions: Iterable[str], audit: Sequence[LogEntry], table: EntryTable) -> CodeView:
    """Find the commit of every revision in a report."""
    firsts = _firsts(frozenset(revisions), table)
    deployed = {name: find_deployed(base, name, audit, firsts.get(name)) for name in sorted(revisions)}
    return CodeView(base=base, deployed=deployed)


def _firsts(revisions: frozenset[str], table: EntryTable) -> dict[str, LogEntry]:
    """Return the first entry of each revision, audit log excluded."""
    wanted = [
        None if label_set.is_audit or label_set.revision not in revisions else label_set.revision
        for label_set in table.label_sets
    ]
    rows: dict[str, int] = {}
    for row, label_set in enumerate(table.label_ids):
        name = wanted[label_set]
        if name is not None and name not in rows:
            rows[name] = row
            if len(rows) == len(revisions):
                break
    return {name: table.original(row) for name, row in rows.items()}


def find_deployed(base: CodeBase, revision: str, audit: Sequence[LogEntry], first: LogEntry | None) -> DeployedCommit:
    """Find the commit of a revision: as given, by a label, by the image's tag, else by time, which is an assumption.

    `audit` holds entries of the audit log, of any revision; `first` is the revision's first entry of another log.
    """
    if base.given is not None:
        statement = f"commit {base.given.short} was deployed, as --commit says"
        return DeployedCommit(revision=revision, commit=base.given, how=CommitSource.GIVEN, statement=statement)
    deploys = [deploy for deploy in find_deploys(audit) if deploy.revision == revision]
    own_ids = {deploy.insert_id for deploy in deploys}
    own_entries = [entry for entry in audit if entry.revision == revision or quote(entry.insert_id, 64) in own_ids]
    labels = [pair for entry in (*own_entries, *((first,) if first else ())) for pair in _labels(entry.raw)]
    for name, value in labels:
        return _named(base, revision, value, CommitSource.LABEL, f"the label `{quote(name, 80)}` of the revision")
    for image in dict.fromkeys(deploy.image for deploy in deploys if deploy.image):
        tag = _TAG.search(image)
        if tag is not None and (_is_tag(tag["hash"]) or base.commit(tag["hash"])):
            return _named(base, revision, tag["hash"], CommitSource.IMAGE, f"the tag of the image `{image}`")
    return _by_time(base, revision, own_entries, first)


def _named(base: CodeBase, revision: str, value: str, how: CommitSource, what: str) -> DeployedCommit:
    commit = base.commit(value)
    if commit is None:
        statement = f"{what} names commit {value[:12]}, which is not in the repository: fetch it there"
        return DeployedCommit(revision=revision, commit=None, how=how, statement=statement)
    statement = f"commit {commit.short} was deployed, as {what} says"
    return DeployedCommit(revision=revision, commit=commit, how=how, statement=statement)


def _is_tag(text: str) -> bool:
    """Tell whether a tag is a full hash; a shorter one may be a number or a date, and needs a commit of that name."""
    return len(text) == 40  # noqa: PLR2004 - digits of a hash


def _by_time(base: CodeBase, revision: str, own_entries: Sequence[LogEntry], first: LogEntry | None) -> DeployedCommit:
    times = [entry.time for entry in own_entries if entry.time] + ([first.time] if first and first.time else [])
    if not times:
        statement = "nothing in these entries tells which commit was deployed: name it with --commit"
        return DeployedCommit(revision=revision, commit=None, how=CommitSource.NONE, statement=statement)
    how = CommitSource.DEPLOY_TIME if own_entries else CommitSource.FIRST_ENTRY_TIME
    what = "the first audit entry of the deploy" if own_entries else "the revision's first entry"
    when = format_time(min(times))
    newest: Commit | None = base.before(min(times))
    if newest is None:
        statement = f"no commit on HEAD is older than {what} ({when}): name the one that was deployed with --commit"
        return DeployedCommit(revision=revision, commit=None, how=how, statement=statement)
    statement = (
        f"that commit {newest.short} was deployed is an assumption: it is the newest on HEAD before {what} ({when}); "
        "name another with --commit"
    )
    return DeployedCommit(revision=revision, commit=newest, how=how, statement=statement, assumed=True)


def _labels(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (name, value) of an entry's labels and annotations whose value is the hash of a commit."""
    for tags in _tables(record):
        if isinstance(tags, dict):
            for name in sorted(key for key in tags if isinstance(key, str) and _LABEL.search(key.lower())):
                value = tags[name]
                if isinstance(value, str) and _HASH.fullmatch(value.lower()):
                    yield name, value.lower()


def _tables(record: Mapping[str, Any]) -> Iterator[Any]:
    proto = record.get("protoPayload")
    for top in ("request", "response"):
        for above in ((), ("service",)):
            for path in _METADATA:
                metadata = value_at(proto, top, *above, *path)
                yield value_at(metadata, "labels")
                yield value_at(metadata, "annotations")
    yield record.get("labels")
    yield value_at(record.get("resource"), "labels")
