"""No page denies what it shows: every document of every input at hand is searched for sentences that do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from support.corpus import Pages, at_hand, scripted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Json = dict[str, Any]

FEWEST_INPUTS = 50
"""The incidents, or the samples and exports of the checkout alone."""
FEWEST_KINDS = 8
"""Kinds of denials that are read at least: the search would find one."""


class Page(NamedTuple):
    """One document, and what it was made from."""

    name: str
    text: str
    report: Json

    @property
    def cluster(self) -> Json | None:
        """The cluster that a page is about; None for a page about all of them."""
        about = self.name.removeprefix("five-whys/").removesuffix(".md")
        return next((cluster for cluster in self.report["clusters"] if cluster["id"] == about), None)


def cites(pattern: str) -> Callable[[Page], bool]:
    """Make the test whether a page shows something anywhere, quoted lines of the log included."""
    compiled = re.compile(pattern)
    return lambda page: compiled.search(page.text) is not None


def logs(name: str) -> Callable[[Page], bool]:
    """Make the test whether a log is among what was read, as the foot of every page says."""
    return lambda page: page.report["coverage"]["logs"].get(name, 0) > 0


def _has_frames(page: Page) -> bool:
    return page.cluster is not None and (
        page.cluster["frame"] is not None or "Traceback (most recent call last)" in page.text
    )


def _names_something(page: Page) -> bool:
    return page.cluster is not None and bool(page.cluster["captures"])


def _has_link(end: str) -> Callable[[Page], bool]:
    return lambda page: (
        page.cluster is not None and any(link[end] == page.cluster["id"] for link in page.report["links"])
    )


def _has_failed_deploy(page: Page) -> bool:
    revisions = {cluster["revision"] for cluster in page.report["clusters"]}
    failed = [d for d in page.report["deploys"] if d["outcome"] == "failed" and d["revision"] in revisions]
    return bool(failed) and len(page.report["incidents"]) == 1


def _is_ruled_out(page: Page) -> bool:
    return any(
        rival["signature"] == "jwt-secret-mismatch" and rival["verdict"] == "refuted"
        for finding in page.report["findings"]
        for rival in finding["rivals"]
    )


_METHOD = r"(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)"
_BETWEEN = r"(?: [\w,-]+){0,5}?"
_END = r"(?:exit|end of (?:an instance|a container|a process|the instance|the job))\b"

_NONE_FAILED = (
    rf"(?:\b[Nn]o{_BETWEEN}|[Nn]either{_BETWEEN} nor a) (?:failed|refused) requests?\b|Nothing (?:that fails|failed)"
)
_NOT_NAMED = (
    r"(?:entry|entries|message|verdict|text) "
    r"(?:does not name|do not name|names? (?:no\w*|neither)\b|gives? no\b|counts no\b)"
)

DENIALS: dict[str, tuple[str, Callable[[Page], bool]]] = {
    "no failed request": (_NONE_FAILED, cites(rf"`[45]\d\d {_METHOD} ")),
    "no request": (
        r"\b[Nn]o (?:other |earlier )?request (?:of|stands|is|was|follows)",
        cites(rf"`[1-5]\d\d {_METHOD} "),
    ),
    "no successful request": (
        r"\b[Nn]o successful request",
        cites(rf"`[23]\d\d {_METHOD} |with [1-9][\d,]* requests? answered"),
    ),
    "no exit": (
        rf"(?:\b[Nn]o|[Nn]either an?){_BETWEEN} {_END}",
        cites(r"Container called exit\(|Container terminated on signal|instance lives that ended"),
    ),
    "no failed probe": (rf"\b[Nn]o{_BETWEEN} failed probe", cites(r"[Pp]robe failed")),
    "no open port": (r"No successful start-up probe|No sign of an open port|No line tells", cites("probe succeeded")),
    "no start": (r"\b[Nn]o start\b", cites("Starting new instance")),
    "no memory": (r"\b[Nn]o entry about memory", cites(r"[Mm]emory limit|out of memory")),
    "no traceback": (r"(?<!its own entries )(?:holds? no|has no) (?:traceback|stack|frame)", _has_frames),
    "not named": (_NOT_NAMED, _names_something),
    "no audit log": (r"[Nn]o audit log|[Pp]ull the audit logs?(?! of \S+googleapis)", logs("audit")),
    "no request log": (
        r"[Nn]o requests? log|[Pp]ull the (?:system and )?requests? log|log is not among|may not have been pulled",
        logs("requests"),
    ),
    "no system log": (r"[Nn]o system log|[Pp]ull (?:the system|run\.googleapis\.com/varlog/system)", logs("system")),
    "no application log": (r"[Pp]ull std(?:out|err)|[Nn]o stdout and no stderr", logs("stderr")),
    "no quiet lines": (
        r"[Pp]ull (?:those|these|the untyped) lines|[Pp]ull the lines of the same instance without severity",
        lambda page: page.report["coverage"]["no_severity"] > 0,
    ),
    "no tests": (r"[Nn]o test results were given", lambda page: page.report["tests"] is not None),
    "no cause": (
        r"no cause before this cluster|hold no cause for it|No (?:known cause|error of a known kind) stands",
        _has_link("symptom"),
    ),
    "no symptom": (r"no symptom behind this cluster|Nothing that fails stands|Nothing failed", _has_link("cause")),
    "no failed deploy": (r"no deployment that was reported not ready", _has_failed_deploy),
    "dies at start-up": (
        r"Every instance dies at start-up|every instance crashes at start-up",
        cites(r"with [1-9][\d,]* requests? answered"),
    ),
    "refuted and advised": (r"one secret version|same version of the secret", _is_ruled_out),
}
"""What a sentence denies → how it says so, and how the page that holds the sentence shows the thing all the same."""


_QUOTED = (
    re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE),
    re.compile(r"`[^`\n]*`"),
    re.compile(r"“[^”\n]*”"),
)
_ESCAPE = re.compile(r"\\([^\w\s])")


def own_words(text: str) -> str:
    """Leave what the program says itself: without quoted lines, code and titles."""
    for quoted in _QUOTED:
        text = quoted.sub("…", text)
    return _ESCAPE.sub(r"\1", text)


def denied(page: Page) -> Iterator[tuple[str, str]]:
    """Yield (what is denied, the words around it) for each kind of denial on a page."""
    said = own_words(page.text)
    for what, (denial, _) in DENIALS.items():
        found = re.search(denial, said)
        if found is not None:
            yield what, said[max(found.start() - 60, 0) : found.end() + 60].replace("\n", " ")


def contradictions(page: Page) -> list[tuple[str, str]]:
    """List the denials of a page that the page itself shows to be untrue."""
    return [(what, words) for what, words in denied(page) if DENIALS[what][1](page)]


def pages_of(made: Pages) -> Iterator[Page]:
    return (Page(name, text, made.report) for name, text in made.documents.items() if name.endswith(".md"))


@pytest.mark.slow
@pytest.mark.parametrize("inputs", [scripted, at_hand])
def test_no_page_denies_what_it_shows(inputs: Callable[[], Iterator[Pages]]) -> None:
    wrong, denials, count = [], set(), 0
    for made in inputs():
        count += 1
        for page in pages_of(made):
            found = list(denied(page))
            denials |= {what for what, _ in found}
            shown = [f"{what}: {words}" for what, words in found if DENIALS[what][1](page)]
            wrong += [f"{made.source} {page.name}: {line}" for line in shown]
    assert wrong == []
    assert count >= FEWEST_INPUTS
    assert len(denials) >= FEWEST_KINDS  # pages that deny nothing would prove nothing


# How a page would look that contradicts itself: the check must see it, and must leave the honest page alone.
FAILED = "| 10:00:01 | … | ERROR | `500 GET /orders` |"
CASES = [
    ("No failed request stands beside it: it was caught.", FAILED, "no failed request"),
    ("No exit, failed probe or failed request stands beside it.", FAILED, "no failed request"),
    ("No request stands near: look at start-up.", FAILED, "no request"),
    ("No end of an instance was read near it.", "| 10:00:02 | … | WARNING | `Container called exit(1).` |", "no exit"),
    ("No successful start-up probe stands before the exit.", "`STARTUP TCP probe succeeded after 1`", "no open port"),
]


@pytest.mark.parametrize(("denial", "shown", "what"), CASES)
def test_a_page_that_denies_what_it_shows_is_found(denial: str, shown: str, what: str) -> None:
    report: Json = {"clusters": [], "links": [], "coverage": {"logs": {}, "no_severity": 0}}
    assert what in [found for found, _ in contradictions(Page("index.md", f"{denial}\n\n{shown}\n", report))]
    assert list(contradictions(Page("index.md", f"{denial}\n", report))) == []
    assert list(contradictions(Page("index.md", f"`{denial}`\n\n{shown}\n", report))) == []


def test_a_log_that_is_here_is_not_asked_for() -> None:
    def of(entries: int) -> list[str]:
        report: Json = {"clusters": [], "links": [], "coverage": {"logs": {"audit": entries}, "no_severity": 0}}
        page = Page("index.md", "Which deployment brought it? Pull the audit log as well.\n", report)
        return [what for what, _ in contradictions(page)]

    assert (of(3), of(0)) == (["no audit log"], [])
