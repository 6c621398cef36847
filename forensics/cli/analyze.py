"""`forensics analyze`: the main job."""

from __future__ import annotations

import gc
import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click
from msgspec.structs import replace

from forensics import __version__
from forensics.cli.output import out_folder, say_exit, write_documents
from forensics.cli.progress import watching
from forensics.cli.terminal import print_summary
from forensics.cli.times import bounds
from forensics.errors import CaseError, SeveralRevisionsError, SourceError, UsageError
from forensics.model import Analysis, Level, Priority, Query, TestRun
from forensics.model.report import CaseRef
from forensics.render import FORMATS, encode_report
from forensics.settings import Settings, find_settings

if TYPE_CHECKING:
    from forensics.cases import Case

EPILOG = """\b
Examples:
  forensics analyze --revision netra-backend-staging-00180
  forensics analyze --revision all --logs samples/module-missing-crash-loop/logs --format json --json
"""


@click.command("analyze", epilog=EPILOG)
@click.option("--revision", required=True, metavar="R", help="Full name, prefix (…-00180), number, `latest` or `all`.")
@click.option(
    "--logs", multiple=True, metavar="PATH", help="File, folder, glob or - (stdin); repeatable. [default: settings]"
)
@click.option(
    "--case",
    "folder_of_case",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="A case to read, instead of --logs.",
)
@click.option("--service", metavar="NAME", help="Only entries of this service.")
@click.option(
    "--project", envvar="GOOGLE_CLOUD_PROJECT", metavar="ID", help="Project, for the commands that are suggested."
)
@click.option("--region", metavar="NAME", help="Region, for the commands that are suggested.")
@click.option("--since", metavar="2h", help="Only entries of the last 30m, 2h, 7d … before now.")
@click.option("--from", "from_", metavar="TIME", help="Only entries from this time on (any zone; without one: UTC).")
@click.option("--to", metavar="TIME", help="Only entries before this time.")
@click.option(
    "--level",
    type=click.Choice([x.value for x in Level], case_sensitive=False),
    help="Analyse unknown entries from this level on. [default: ERROR]",
)
@click.option(
    "--tests",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="XML",
    help="JUnit results of the tests against it; repeatable.",
)
@click.option(
    "--rules",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="More rules; one with a shipped id replaces it. Repeatable.",
)
@click.option(
    "--templates",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Templates that replace the shipped ones of the same name.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where to write. [default: forensics-reports/REVISION]",
)
@click.option(
    "--format", "formats", metavar="LIST", help=f"Comma-separated out of {', '.join(FORMATS)}. [default: all]"
)
@click.option(
    "--fail-on",
    type=click.Choice([x.value for x in Priority], case_sensitive=False),
    help="Exit 1 when a finding has this priority or a higher one. [default: never]",
)
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Processes for large logs. [default: processors]")
@click.option("--strict", is_flag=True, help="Validate every line of a log, also those of other revisions.")
@click.option("--json", "as_json", is_flag=True, help="Print report.json on stdout instead of the summary.")
def command(
    revision: str,
    logs: tuple[str, ...],
    folder_of_case: Path | None,
    service: str | None,
    project: str | None,
    region: str | None,
    since: str | None,
    from_: str | None,
    to: str | None,
    level: str | None,
    tests: tuple[Path, ...],
    rules: tuple[Path, ...],
    templates: Path | None,
    out: Path | None,
    formats: str | None,
    fail_on: str | None,
    jobs: int | None,
    *,
    strict: bool,
    as_json: bool,
) -> None:
    """Find out why a revision fails, and write the documents.

    Reads exports of Cloud Logging, names the failures, groups them, links symptoms to causes, and writes index.md,
    one five-whys document per cluster, postmortem.md, report.json and entries.csv.
    """
    # Heavy imports stand here: `--help` does without them.
    from forensics.classify import Screen  # noqa: PLC0415
    from forensics.entries import LineReader  # noqa: PLC0415
    from forensics.pipeline import analyze  # noqa: PLC0415
    from forensics.rulebook import load_rules  # noqa: PLC0415
    from forensics.sources import FileShelf, Indexing, read_records  # noqa: PLC0415
    from forensics.workers import default_jobs, in_processes  # noqa: PLC0415

    settings = find_settings(Path.cwd())
    case = _sound_case(folder_of_case, logs) if folder_of_case else None
    wanted = _formats(formats or settings.format)
    first, last = bounds(since, from_, to)
    query = Query(
        revision=revision,
        service=service or settings.service,
        project=project or settings.project,
        region=region or settings.region,
        from_time=first,
        to_time=last,
        level=Level((level or settings.level or "ERROR").upper()),
        logs=(str(folder_of_case),) if case else logs or settings.logs,
    )
    _require_logs(query)
    loaded, rulebook = load_rules([*map(Path, settings.rules), *rules])
    runs = _test_runs(tests)
    only = None if strict or "-" in query.logs else query.revision
    # Records are trees that live for a moment: collecting garbage among them costs a fifth and finds nothing.
    gc.disable()
    with watching() as watch, closing(FileShelf()) as shelf:
        screen = Screen(loaded, query.level)
        indexing = Indexing(
            shelf=shelf,
            reader=partial(LineReader, screen=screen),
            jobs=jobs or default_jobs(),
            advance=watch.advance,
        )
        spread = watch.spread(partial(in_processes, jobs=indexing.jobs, before=shelf.flush))
        given = case.paths if case else query.logs
        read = partial(read_records, given, _stdin(query), indexing=indexing, expect=watch.expect)
        run = partial(
            analyze,
            rules=loaded,
            query=query,
            rulebook=rulebook,
            tool_version=__version__,
            tests=runs,
            shelf=shelf,
            spread=spread,
        )
        try:
            analysis = run(read(only=only))
        except SourceError as error:
            if only is None or isinstance(error, SeveralRevisionsError):
                raise
            # Nothing fits: only what was passed over can tell the nearest names, and what the logs hold at all.
            analysis = run(read())
        analysis = _naming(case, analysis)
        folder = out or _default_folder(settings, analysis.report.revision.name)
        write_documents(
            analysis, folder, wanted, templates or (Path(settings.templates) if settings.templates else None)
        )
    if as_json:
        sys.stdout.buffer.write(encode_report(analysis.report))
    else:
        print_summary(analysis.report, folder, wanted)
    say_exit(analysis.report, Priority(fail_on.upper()) if fail_on else None)


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


def _naming(case: Case | None, analysis: Analysis) -> Analysis:
    """Let the report say which case it was made from."""
    if case is None:
        return analysis
    # By name and not by path: the same case gives the same report wherever it lies.
    reference = CaseRef(folder=case.folder.resolve().name, sha256=case.sha256)
    return replace(analysis, report=replace(analysis.report, case=reference))


def _test_runs(files: tuple[Path, ...]) -> TestRun | None:
    if not files:
        return None
    from forensics.testruns import read_test_runs  # noqa: PLC0415

    return read_test_runs(files)


def _default_folder(settings: Settings, revision: str) -> Path:
    return out_folder(Path(settings.out) if settings.out else Path("forensics-reports"), revision)


def _formats(text: str | None) -> tuple[str, ...]:
    wanted = tuple(part.strip().lower() for part in (text or ",".join(FORMATS)).split(",") if part.strip())
    unknown = [name for name in wanted if name not in FORMATS]
    if unknown or not wanted:
        raise UsageError(f"--format knows {', '.join(FORMATS)}, not {', '.join(unknown) or 'nothing'!r}")
    return wanted


def _stdin(query: Query) -> BinaryIO | None:
    return sys.stdin.buffer if "-" in query.logs else None


def _require_logs(query: Query) -> None:
    if query.logs:
        return
    name = query.revision if query.revision not in {"all", "latest"} else "NAME"
    pull = f"gcloud logging read 'resource.labels.revision_name:\"{name}\"' --project {query.project or 'PROJECT'}"
    raise UsageError(
        "no logs given: add --logs PATH, or set logs = […] in forensics.toml; "
        f"an export is made by: {pull} --freshness 1d --format json > logs.json"
    )
