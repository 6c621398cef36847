"""A revision and what the flags say in, an analysis out: the same for every verb that looks at a revision."""

from __future__ import annotations

import gc
import sys
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click
from msgspec.structs import replace

from forensics import __version__
from forensics.cli.options import CloudOptions
from forensics.cli.screens.progress import watching
from forensics.cli.times import bounds
from forensics.errors import CaseError, SeveralRevisionsError, SourceError, UsageError
from forensics.model import Analysis, CaseRef, Level, Pulled, Query, Report, TestRun

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forensics.cases import Case
    from forensics.cli.options import InputOptions
    from forensics.cli.settings import Settings
    from forensics.cloud.connection import Transport
    from forensics.model import CodeBase


@contextmanager
def analysed(
    revision: str,
    inputs: InputOptions,
    settings: Settings,
    live: CloudOptions | None = None,
    baseline: Report | None = None,
) -> Iterator[Analysis]:
    """Analyse a revision, beside its baseline where there is one.

    The table of entries can be taken inside the context only, since it reads the records again.

    With `live`, Cloud Logging is asked first when that is wanted, or when there are no logs.

    Raises:
        ForensicsError: one line for the user, when what was asked for cannot be read, found or understood.
    """
    # Heavy imports stand here: `--help` does without them.
    from forensics.classify import RequestPrefilter  # noqa: PLC0415
    from forensics.entries import FastIndexReader  # noqa: PLC0415
    from forensics.pipeline import analyze  # noqa: PLC0415
    from forensics.rulebook import load_rules  # noqa: PLC0415
    from forensics.sources import FileRecordStore, Indexing, read_records  # noqa: PLC0415
    from forensics.system.processes import default_jobs, in_processes  # noqa: PLC0415

    if asks_cloud(inputs, settings, live):
        revision, inputs = _pulled(revision, inputs, settings, live or CloudOptions())
    case = _sound_case(inputs.case, inputs.logs) if inputs.case else None
    query = _query(revision, inputs, settings)
    if not query.logs and case is None:
        raise UsageError(f"no logs given: {_how_to_export(revision, inputs, settings)}")
    loaded, rulebook = load_rules([*map(Path, settings.rules), *inputs.rules])
    runs = test_runs(inputs.tests)
    only = None if inputs.strict or "-" in query.logs else query.revision
    # Records are trees that live for a moment: collecting garbage among them costs a fifth and finds nothing.
    gc.disable()
    with watching() as watch, closing(FileRecordStore()) as store, _code(inputs) as code:
        indexing = Indexing(
            store=store,
            reader=partial(FastIndexReader, prefilter=RequestPrefilter(loaded, query.level)),
            jobs=inputs.jobs or default_jobs(),
            advance=watch.advance,
        )
        parallel_map = watch.parallel_map(partial(in_processes, jobs=indexing.jobs, before=store.flush))
        given = case.paths if case else query.logs
        read = partial(read_records, given, _stdin(query), indexing=indexing, expect=watch.expect)
        run = partial(
            analyze,
            rules=loaded,
            query=query,
            rulebook=rulebook,
            tool_version=__version__,
            tests=runs,
            pulled=_listings(case),
            baseline=baseline,
            code=code,
            store=store,
            parallel_map=parallel_map,
        )
        try:
            analysis = run(read(only=only))
        except SourceError as error:
            if only is None or isinstance(error, SeveralRevisionsError):
                raise
            # Nothing fits: only what was passed over can tell the nearest names, and what the logs hold at all.
            analysis = run(read())
        yield _naming(case, analysis)


def asks_cloud(inputs: InputOptions, settings: Settings, live: CloudOptions | None) -> bool:
    """Tell whether Cloud Logging is asked: when that is wanted, or when there are no logs."""
    return inputs.live or (live is not None and not (inputs.logs or inputs.case or settings.logs))


def _pulled(revision: str, inputs: InputOptions, settings: Settings, live: CloudOptions) -> tuple[str, InputOptions]:
    """Ask Cloud Logging; return the revision's full name, and what is to be read now."""
    from forensics.cli.live import fetch  # noqa: PLC0415 - most runs read exports

    connection = connected(revision, inputs, settings, live)
    say = partial(click.echo, err=True)
    fetched = fetch(revision, inputs, settings, live, connection, is_narrow=not live.everything, say=say)
    found = replace(inputs, case=fetched.folder, since=None, from_=fetched.from_time, to=fetched.to_time)
    return fetched.revision, found


def connected(revision: str, inputs: InputOptions, settings: Settings, live: CloudOptions) -> Transport:
    """Open the way to Cloud Logging; where it is asked for want of logs only, the error says how to export them."""
    if inputs.logs:
        raise UsageError("--live and --logs both say what to read: give one of them")
    from forensics.cli.live import open_connection  # noqa: PLC0415 - most runs read exports
    from forensics.cloud.access_errors import AccessError  # noqa: PLC0415

    try:
        return open_connection(inputs, settings, live)
    except AccessError as error:
        if inputs.live or live.endpoint or live.impersonate:
            raise
        export = _how_to_export(revision, inputs, settings)
        raise UsageError(f"no logs given, and Cloud Logging cannot be asked: {error}; or {export}") from error


def _query(revision: str, inputs: InputOptions, settings: Settings) -> Query:
    first, last = bounds(inputs.since, inputs.from_, inputs.to)
    return Query(
        revision=revision,
        service=inputs.service or settings.service,
        project=inputs.project or settings.project,
        region=inputs.region or settings.region,
        from_time=first,
        to_time=last,
        level=Level((inputs.level or settings.level or "ERROR").upper()),
        logs=() if inputs.case else inputs.logs or settings.logs,
        case=str(inputs.case) if inputs.case else None,
    )


def _sound_case(folder: Path, logs: tuple[str, ...]) -> Case:
    """Open a case whose entries are those that were written; the report will name it by its hash."""
    if logs:
        raise UsageError("--case and --logs both say what to read: give one of them")
    from forensics.cases import Case, check_hashes  # noqa: PLC0415 - most runs read exports

    case = Case.look(folder)
    if not case.manifest.entries:
        raise CaseError(f"the case {str(folder)!r} holds no entries; read exports with --logs")
    check_hashes(case)
    return case


def _listings(case: Case | None) -> tuple[Pulled, ...]:
    if case is None:
        return ()
    from forensics.pulling import pulled_of  # noqa: PLC0415 - most runs read exports

    return pulled_of(case.manifest)


def _naming(case: Case | None, analysis: Analysis) -> Analysis:
    """Let the report say which case it was made from."""
    if case is None:
        return analysis
    # By name and not by path: the same case gives the same report wherever it lies.
    reference = CaseRef(folder=case.folder.resolve().name, sha256=case.sha256)
    return replace(analysis, report=replace(analysis.report, case=reference))


def test_runs(files: tuple[Path, ...]) -> TestRun | None:
    """Read results of tests, None where no file is named."""
    if not files:
        return None
    from forensics.sources.junit import read_test_runs  # noqa: PLC0415

    return read_test_runs(files)


@contextmanager
def _code(inputs: InputOptions) -> Iterator[CodeBase | None]:
    """Open the repository; flags that speak of commits need one."""
    if inputs.repo is None:
        if inputs.commit or inputs.baseline_commit:
            raise UsageError("--commit and --baseline-commit name commits of a repository: add --repo PATH")
        yield None
        return
    from forensics.repository import GitRepository  # noqa: PLC0415 - most runs read logs alone

    with closing(GitRepository(inputs.repo, commit=inputs.commit, baseline=inputs.baseline_commit)) as repository:
        yield repository


def _stdin(query: Query) -> BinaryIO | None:
    return sys.stdin.buffer if "-" in query.logs else None


def _how_to_export(revision: str, inputs: InputOptions, settings: Settings) -> str:
    name = revision if revision not in {"all", "latest"} else "NAME"
    project = inputs.project or settings.project or "PROJECT"
    pull = f"gcloud logging read 'resource.labels.revision_name:\"{name}\"' --project {project}"
    return (
        "add --logs PATH, or set logs = […] in forensics.toml; "
        f"an export is made by: {pull} --freshness 1d --format json > logs.json"
    )
