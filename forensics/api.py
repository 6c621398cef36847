"""The front door: what other programs and notebooks call, and what the command line calls too.

    import forensics

    report = forensics.analyze("logs/", revision="shop-api-00042", baseline="previous")
    print(report.headline)

`forensics` itself exports everything here, with the records and errors that these functions speak of.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence  # noqa: TC003 - as below
from contextlib import closing, contextmanager
from datetime import datetime  # noqa: TC003 - signatures can be resolved by whoever reads them at run time
from functools import partial
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Unpack

from msgspec.structs import replace

from forensics import __version__
from forensics.errors import BaselineError, SeveralRevisionsError, SourceError, TemplateError, UsageError
from forensics.model import (
    Analysis,
    Comparison,
    GateResult,
    GateThresholds,
    Level,
    Priority,
    Query,
    Report,
    Rule,
    TestRun,
)
from forensics.system.arguments import AnalyzeOptions, AnyPath, Paths, member, number_of_previous, paths_of, rfc3339
from forensics.system.progress import Progress, Silent

if TYPE_CHECKING:
    from forensics.model import CodeBase
    from forensics.pulling.given_case import GivenCase
    from forensics.sources import FileRecordStore, Indexing

Baseline = Report | AnyPath
"""A report, the path of a saved `report.json`, the name of a revision, `previous`, or `previous:5` for five of them."""
_DEFAULTS = GateThresholds()


def analyze(
    logs: Paths | None = None,
    *,
    revision: str,
    case: AnyPath | None = None,
    service: str | None = None,
    project: str | None = None,
    region: str | None = None,
    from_time: str | datetime | None = None,
    to_time: str | datetime | None = None,
    level: Level | str = Level.ERROR,
    baseline: Baseline | Sequence[Baseline] | None = None,
    baseline_logs: Paths | None = None,
    tests: Paths = (),
    baseline_tests: Paths = (),
    repo: AnyPath | None = None,
    commit: str | None = None,
    baseline_commit: str | None = None,
    rules: Paths = (),
    jobs: int | None = None,
) -> Report:
    """Find out why a revision fails, and return everything that is known about it.

    Args:
        logs: Exports of Cloud Logging: files, folders or globs, in any form that `forensics analyze --logs` reads.
        revision: A full name, a prefix at a word boundary, a number, `latest`, or `all` for every entry.
        case: A case that `forensics pull` wrote, instead of logs.
        service, project, region: Where the revision runs; project and region fill in commands of the report.
        from_time, to_time: Bounds; a time without a zone is UTC.
        level: Entries of this level or above are analysed even when no rule knows them.
        baseline: What to compare with, or several of that: then revisions differ when they differ by more than these
            do among themselves. Its logs are `baseline_logs` where they are other ones.
        tests, baseline_tests: JUnit files of tests that ran against either.
        repo, commit, baseline_commit: A git checkout, and the commits that were deployed, where they are known.
        rules: Folders of your own rule files; they add to the shipped rules, and replace those of the same id.
        jobs: Processes; as many as there are processors where it is not given.

    Raises:
        ForensicsError: in one line what cannot be read, found or compared, and what to do about it.
    """
    query = _query(revision, logs, case, service, project, region, from_time, to_time, level)
    if baseline is not None and revision == "all":
        raise UsageError("a baseline is compared with one revision: name it instead of 'all'")
    given = _all_of(baseline)
    before = [
        report
        for one in given
        for report in _baselines(one, query, baseline_logs, baseline_tests, rules=rules, jobs=jobs)
    ]
    with (
        open_repository(None if repo is None else Path(repo), commit, baseline_commit) as code,
        open_analysis(
            query, rules=paths_of(rules), tests=read_tests(paths_of(tests)), baseline=before, code=code, jobs=jobs
        ) as analysis,
    ):
        report = analysis.report
    if baseline_logs is None and any(report.revision.name == one.revision.name for one in before):
        raise BaselineError(f"{report.revision.name!r} would be compared with itself: name another baseline")
    return report


def compare(
    before: Baseline | Sequence[Baseline], after: Report | str, **options: Unpack[AnalyzeOptions]
) -> Comparison:
    """Compare two revisions, and return what became of each signature.

    Args:
        before: A report, a saved `report.json`, a revision, `previous` or `previous:5`; or several of these.
        after: A report, or a revision.
        **options: As for `analyze`, where a revision is named.

    Raises:
        ForensicsError: in one line what cannot be read, found or compared.
    """
    if isinstance(after, Report):
        from forensics.comparison import compare as compare_sides, side_of  # noqa: PLC0415 - most callers analyze

        return compare_sides([side_of(read_report(one)) for one in _all_of(before)], side_of(after))
    comparison = analyze(revision=after, baseline=before, **options).comparison
    if comparison is None:  # a baseline was given, so that there is one
        raise BaselineError(f"{after!r} was not compared with {before!r}")
    return comparison


def gate(
    revision: Report | str,
    baseline: Baseline | Sequence[Baseline] | None = None,
    *,
    max_new: Priority | str = _DEFAULTS.max_new,
    max_ratio: float = _DEFAULTS.max_ratio,
    min_requests: int = _DEFAULTS.min_requests,
    **options: Unpack[AnalyzeOptions],
) -> GateResult:
    """Judge a deployment against its baseline: pass, fail, or not enough traffic to tell.

    Args:
        revision: A revision, or a report that holds a comparison already.
        baseline: What to compare with, where a revision is named.
        max_new: A new signature of this priority or a higher one fails.
        max_ratio: A signature that is worse by a ratio above this fails.
        min_requests: Fewer requests than this cannot pass.
        **options: As for `analyze`, where a revision is named.

    Raises:
        ForensicsError: in one line what cannot be read, found or compared.
    """
    from forensics.comparison.gating import judge  # noqa: PLC0415 - most callers analyze

    thresholds = GateThresholds(max_new=member(Priority, max_new), max_ratio=max_ratio, min_requests=min_requests)
    if isinstance(revision, Report):
        return judge(revision, thresholds)
    if baseline is None:
        raise UsageError("a gate holds a revision against another one: name its baseline")
    return judge(analyze(revision=revision, baseline=baseline, **options), thresholds)


def load_rules(folders: Paths = ()) -> tuple[Rule, ...]:
    """Load the shipped rules and those of your own folders, in order of their ids.

    Args:
        folders: Folders of rule files, which add to the shipped ones and replace those of the same id.

    Raises:
        RuleError: everything that is wrong in all files, a line each.
    """
    from forensics.rulebook import load_rules as load  # noqa: PLC0415 - YAML is for those who read rules

    return load(paths_of(folders))[0]


def read_report(source: Report | AnyPath) -> Report:
    """Read a `report.json` of an earlier run; a report is returned as it is.

    Raises:
        BaselineError: it cannot be read, or is no report of this version.
    """
    if isinstance(source, Report):
        return source
    from forensics.rendering import decode_report  # noqa: PLC0415 - most callers analyze

    file = Path(source)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise BaselineError(f"{str(file)!r}: {error.strerror}; give the report.json of an earlier run") from error
    return decode_report(data, file.name)


def render(report: Report, *, templates: AnyPath | None = None) -> dict[str, str]:
    """Write the documents of a report; return them by the names that `forensics analyze` gives to their files.

    Args:
        report: What to write about; no logs are needed.
        templates: A folder of your own templates, which replace the shipped ones of the same name.

    Raises:
        TemplateError: a template is no template, or names what is not there.
    """
    from forensics.rendering import encode_report, render_report  # noqa: PLC0415 - most callers analyze

    folder = Path(templates) if templates is not None else None
    if folder is not None and not folder.is_dir():
        raise TemplateError(f"{str(folder)!r} is no folder: give one that holds index.md.j2 or others")
    return dict(render_report(report, folder)) | {"report.json": encode_report(report).decode("utf-8", "replace")}


@contextmanager
def open_analysis(
    query: Query,
    *,
    rules: Sequence[Path] = (),
    tests: TestRun | None = None,
    baseline: Report | Sequence[Report] | None = None,
    code: CodeBase | None = None,
    jobs: int | None = None,
    strict: bool = False,
    stdin: BinaryIO | None = None,
    progress: Progress | None = None,
) -> Iterator[Analysis]:
    """Analyse a revision and keep its records open, so that `Analysis.rows` can be taken inside the context.

    `strict` parses every line, also those that cannot belong to the revision. `stdin` is what `-` stands for.

    Raises:
        ForensicsError: in one line what cannot be read, found or understood.
    """
    # Heavy imports stand here: `import forensics` does without them.
    from forensics.pipeline import analyze as run_analysis  # noqa: PLC0415
    from forensics.rulebook import load_rules as load  # noqa: PLC0415
    from forensics.sources import FileRecordStore, read_records  # noqa: PLC0415
    from forensics.system.processes import in_processes  # noqa: PLC0415

    progress = progress or Silent()
    case = _opened(query.case) if query.case is not None else None
    loaded, rulebook = load(rules)
    only = None if strict or "-" in query.logs else query.revision
    with closing(FileRecordStore()) as store:
        indexing = _indexing(store, loaded, query.level, jobs, progress)
        paths = case.paths if case else query.logs
        read = partial(read_records, paths, stdin, indexing=indexing, expect=progress.expect)
        run = partial(
            run_analysis,
            rules=loaded,
            query=query,
            rulebook=rulebook,
            tool_version=__version__,
            tests=tests,
            pulled=case.listings if case else (),
            baselines=(baseline,) if isinstance(baseline, Report) else tuple(baseline or ()),
            code=code,
            store=store,
            parallel_map=progress.parallel_map(partial(in_processes, jobs=indexing.jobs, before=store.flush)),
        )
        try:
            analysis = run(read(only=only))
        except SourceError as error:
            if only is None or isinstance(error, SeveralRevisionsError):
                raise
            # Nothing fits: only what was passed over can tell the nearest names, and what the logs hold at all.
            analysis = run(read())
        yield case.named_in(analysis) if case else analysis


def previous_revisions(
    query: Query, number: int = 1, *, jobs: int | None = None, progress: Progress | None = None
) -> tuple[str, ...]:
    """Name up to a number of revisions that served before the one asked for, the nearest first; every line is read.

    Raises:
        ForensicsError: nothing was read, no revision fits or several do, or there is no earlier one.
    """
    from forensics.pipeline import previous  # noqa: PLC0415 - as in open_analysis
    from forensics.sources import FileRecordStore, read_records  # noqa: PLC0415 - as above

    progress = progress or Silent()
    with closing(FileRecordStore()) as store:
        indexing = _indexing(store, (), Level.ERROR, jobs, progress)
        return previous(read_records(query.logs, None, indexing=indexing, expect=progress.expect), query, store, number)


def read_tests(files: Sequence[Path]) -> TestRun | None:
    """Read JUnit files, None where there are none; raise SourceError for one that is no JUnit file."""
    if not files:
        return None
    from forensics.sources.junit import read_test_runs  # noqa: PLC0415 - most runs have none

    return read_test_runs(files)


def _query(  # noqa: PLR0917 - the same names in the same order as `analyze`
    revision: str,
    logs: Paths | None,
    case: AnyPath | None,
    service: str | None,
    project: str | None,
    region: str | None,
    from_time: str | datetime | None,
    to_time: str | datetime | None,
    level: Level | str,
) -> Query:
    if (logs is None) == (case is None):
        raise UsageError("give either logs, the paths of exports, or a case that `forensics pull` wrote")
    return Query(
        revision=revision,
        service=service,
        project=project,
        region=region,
        from_time=rfc3339("from_time", from_time),
        to_time=rfc3339("to_time", to_time),
        level=member(Level, level),
        logs=() if logs is None else tuple(map(str, paths_of(logs))),
        case=None if case is None else fspath(case),
    )


def _all_of(given: Baseline | Sequence[Baseline] | None) -> tuple[Baseline, ...]:
    if isinstance(given, Report | str | PathLike):
        return (given,)
    return tuple(given or ())


def _baselines(
    baseline: Baseline,
    query: Query,
    logs: Paths | None,
    tests: Paths,
    *,
    rules: Paths,
    jobs: int | None,
) -> Iterator[Report]:
    """Read or make the reports of a baseline. Bounds are those of the revision that is looked at, and not its own."""
    runs = read_tests(paths_of(tests))
    if isinstance(baseline, Report) or str(baseline).endswith(".json"):
        report = read_report(baseline)
        yield replace(report, tests=runs) if runs else report
        return
    own = replace(query, revision=str(baseline), from_time=None, to_time=None)
    if logs is not None:
        own = replace(own, logs=tuple(map(str, paths_of(logs))), case=None)
    names: tuple[str, ...] = (own.revision,)
    if number := number_of_previous(own.revision):
        everywhere = (*own.logs, *query.logs) or (str(own.case),)
        asked = replace(query, logs=tuple(dict.fromkeys(everywhere)), case=None, from_time=None, to_time=None)
        names = previous_revisions(asked, number, jobs=jobs)
    for name in names:
        one = replace(own, revision=name)
        with open_analysis(one, rules=paths_of(rules), tests=runs, jobs=jobs) as analysis:
            yield analysis.report


def _indexing(
    store: FileRecordStore, rules: Sequence[Rule], level: Level, jobs: int | None, progress: Progress
) -> Indexing:
    from forensics.classify import RequestPrefilter  # noqa: PLC0415 - as in open_analysis
    from forensics.entries import FastIndexReader  # noqa: PLC0415 - as above
    from forensics.sources import Indexing  # noqa: PLC0415 - as above
    from forensics.system.processes import default_jobs  # noqa: PLC0415 - as above

    return Indexing(
        store=store,
        reader=partial(FastIndexReader, prefilter=RequestPrefilter(rules, level)),
        jobs=jobs or default_jobs(),
        advance=progress.advance,
    )


def _opened(case: str) -> GivenCase:
    from forensics.pulling.given_case import open_case  # noqa: PLC0415 - most runs read exports

    return open_case(case)


@contextmanager
def open_repository(
    repo: Path | None, commit: str | None = None, baseline_commit: str | None = None
) -> Iterator[CodeBase | None]:
    """Open a git checkout, None where none is given; commits need one."""
    if repo is None:
        if commit or baseline_commit:
            raise UsageError("--commit and --baseline-commit name commits of a repository: add --repo PATH")
        yield None
        return
    from forensics.sources.repository import GitRepository  # noqa: PLC0415 - most runs read logs alone

    with closing(GitRepository(repo, commit=commit, baseline=baseline_commit)) as repository:
        yield repository
