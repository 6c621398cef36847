"""The checker itself: what is planted into a copy of a report or of its documents is found, one plant at a time."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

import pytest
from incidents.checker import Fault, check
from incidents.documents import check_documents
from incidents.runner import rulebook, run

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "crash-loop"
ROOT = "python-module-missing"

_FIGURE = re.compile(r"(?<![\w%])\d+(?:[.,]\d+)*(?![\w%])")

Report = dict[str, Any]
Documents = dict[str, str]


def planted(plant: Callable[[Report, Documents], None], name: str = NAME) -> list[Fault]:
    found = run(name)
    report, documents = copy.deepcopy(found.report), dict(found.documents)
    plant(report, documents)
    assert report != found.report or documents != found.documents, "nothing was planted"
    return check(report, documents, found.records, found.rows, rulebook()[0])


def page(documents: Documents, signature: str = ROOT) -> str:
    return next(name for name in documents if name.startswith(f"five-whys/{signature}-"))


def whys(report: Report, signature: str = ROOT) -> list[Report]:
    found = next(f for f in report["findings"] if f["cluster"].startswith(f"{signature}-"))
    asked: list[Report] = found["whys"]
    return asked


def replaced(old: str, new: str, *, document: str | None = None) -> Callable[[Report, Documents], None]:
    def plant(report: Report, documents: Documents) -> None:
        del report
        name = document or page(documents)
        assert old in documents[name]
        documents[name] = documents[name].replace(old, new, 1)

    return plant


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("12 instance lives (", "13 instance lives ("),
        ("(supported, 12 of 12)", "(supported, 11 of 12)"),
        ("stands 0.", "stands 7."),
        ("12 of 12 instance lives name module", "12 of 14 instance lives name module"),
        ("formats.py:7", "formats.py:9"),
        ("down to why 3", "down to why 7"),
        ("`Container called exit(3).`", "`Container called exit(4).`"),
        ("09:00:02.", "09:00:03."),
        ("The entries name `orders.exports.pdf`.", "The entries name `orders.exports.csv`."),
        ("Needs investigation (not observable)", "Answer (supported)"),
        (
            "- Evidence: logs do not show code",
            "The module was removed by the last commit.\n\n- Evidence: logs do not show code",
        ),
        (
            "- Evidence: logs do not show code",
            "The entries name `orders.exports.pdf`.\n\n- Evidence: logs do not show code",
        ),
        ("## Links", "In 87 % of all cases this is so.\n\n## Links"),
        ("## Links", "The failure is caused by the last deployment.\n\n## Links"),
        ("## Actions", "It is fixed.\n\n## Actions"),
        ("## Links", "See [another](five-whys/container-oom-123456.md).\n\n## Links"),
        ("## Links", "See [a page](https://example.com/).\n\n## Links"),
    ],
)
def test_what_is_planted_into_a_five_whys_document_is_found(old: str, new: str) -> None:
    assert planted(replaced(old, new))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("document", "old", "new"),
    [
        ("postmortem.md", "12 of 12 instance lives that ended", "12 of 15 instance lives that ended"),
        ("postmortem.md", "### Rivals considered", "It never happened before.\n\n### Rivals considered"),
        ("index.md", "| open: ", "| The entries name `orders.exports.pdf`. open: "),
        ("index.md", "| open: ", "| Somebody deleted it. "),
        ("index.md", "# ", "# Resolved: "),
        ("postmortem.md", "with 0 requests answered", "with 9 requests answered"),
        ("postmortem.md", "the entries go on for 0 s", "the entries go on for 8 min"),
        ("postmortem.md", "**When was it over?** Needs", "**When was it over?** At 09:01:30. Needs"),
        ("postmortem.md", '-- "12 of 12', '-- "12 of 13'),
        ("postmortem.md", 'n1 -- "', 'n2 -- "'),
        ("postmortem.md", 'n1["cause: ', 'n1["cause: the last commit, '),
        ("postmortem.md", "severity>=", "severity>=ERROR OR severity<"),
        ("postmortem.md", "gcloud logging read", "gcloud logging delete"),
    ],
)
def test_what_is_planted_into_another_document_is_found(document: str, old: str, new: str) -> None:
    assert planted(replaced(old, new, document=document))


@pytest.mark.slow
def test_nearly_every_figure_that_is_changed_is_found() -> None:
    """What may slip through is a figure that the same section holds elsewhere, and the number of a question."""
    found, seen, missed = run(NAME), 0, []
    for name in (page(found.documents), "postmortem.md"):
        text = found.documents[name]
        before = len(list(check_documents(found.report, {name: text})))
        for figure in list(_FIGURE.finditer(text))[::6]:
            changed = f"{figure[0][:-1]}{(int(figure[0][-1]) + 1) % 10}"
            planted_text = text[: figure.start()] + changed + text[figure.end() :]
            seen += 1
            if len(list(check_documents(found.report, {name: planted_text}))) == before:
                missed.append(text[max(0, figure.start() - 30) : figure.end() + 10])
    assert seen > 30
    assert len(missed) <= 0.05 * seen, missed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r"missed in all (\d+) with a chance of \S+e-09", r"missed in all \1 with a chance of 4e-19"),
        (r"nothing looks cut, and nothing was unreadable", "nothing looks cut"),
        (r"would have shown it", "would have shown it, twice"),
        (r"\*Would have shown\* \(`[\w-]+`", "*Would have shown* (`container-oom-2`"),
        (r"the application's log is here \(\d+", "the application's log is here (9"),
    ],
)
def test_what_is_planted_into_a_certificate_is_found(old: str, new: str) -> None:
    found = run("late-logging")
    name = next(name for name in found.documents if name.startswith("five-whys/http-5xx-"))
    text = re.sub(old, new, found.documents[name], count=1)
    assert text != found.documents[name]
    assert list(check_documents(found.report, found.documents | {name: text}))


@pytest.mark.slow
def test_an_invented_insert_id_is_found_in_a_document_and_in_a_report() -> None:
    def in_document(report: Report, documents: Documents) -> None:
        real = report["clusters"][0]["exemplars"][0]["insert_id"]
        documents[page(documents)] = documents[page(documents)].replace(real, "6981b997000899f500000000")

    def in_report(report: Report, documents: Documents) -> None:
        del documents
        whys(report)[1]["evidence"][0]["refs"][0]["insert_id"] = "6981b997000899f500000000"

    assert planted(in_document)
    assert any("6981b997000899f500000000" in fault.what for fault in planted(in_report))


@pytest.mark.slow
def test_an_invented_quotation_is_found_in_a_report() -> None:
    def plant(report: Report, documents: Documents) -> None:
        del documents
        whys(report)[1]["evidence"][0]["refs"][0]["message"] = "No module named 'orders.exports.csv'"

    assert any("does not say" in fault.what for fault in planted(plant))


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        {"count": 11},
        {"count": 14},
        {"of": 24},
        {"statement": "12 of 12 instance lives name module `orders.exports.csv`"},
        {"statement": "48 of 12 instance lives name module `orders.exports.pdf`"},
    ],
)
def test_a_wrong_count_or_statement_is_found_in_a_report(change: Report) -> None:
    def plant(report: Report, documents: Documents) -> None:
        del documents
        whys(report)[1]["evidence"][0].update(change)

    assert [fault for fault in planted(plant) if "not carried" not in fault.what]


@pytest.mark.slow
def test_an_answer_at_an_open_why_is_found_in_a_report() -> None:
    def plant(report: Report, documents: Documents) -> None:
        del documents
        why = next(w for w in whys(report) if w["verdict"] == "not observable")
        why["answer"] = "The module was never committed."

    assert any("never committed" in fault.what for fault in planted(plant))


@pytest.mark.slow
@pytest.mark.parametrize("answer", ["Somebody deleted the module.", "The entries name `orders.exports`, since Monday."])
def test_an_invented_answer_at_a_why_that_holds_is_found_in_a_report(answer: str) -> None:
    def plant(report: Report, documents: Documents) -> None:
        del documents
        why = whys(report)[1]
        assert why["verdict"] == "supported"
        why["answer"] = answer

    assert any("no rule says" in fault.what for fault in planted(plant))


@pytest.mark.slow
def test_an_open_why_printed_as_a_fact_is_found() -> None:
    def plant(report: Report, documents: Documents) -> None:
        del documents
        next(w for w in whys(report) if w["verdict"] == "not observable")["kind"] = "fact"

    assert any("printed as fact" in fault.what for fault in planted(plant))


@pytest.mark.slow
@pytest.mark.parametrize("field", ["explained", "of", "within"])
def test_a_wrong_link_is_found(field: str) -> None:
    def plant(report: Report, documents: Documents) -> None:
        del documents
        report["links"][0][field] = 0.001 if field == "within" else report["links"][0][field] + 1

    assert any("counted again" in fault.what for fault in planted(plant))


@pytest.mark.slow
def test_wrong_counts_of_a_cluster_are_found() -> None:
    for field in ("entries", "occurrences"):

        def plant(report: Report, documents: Documents, field: str = field) -> None:
            del documents
            report["clusters"][0][field] += 1

        assert any("counted again" in fault.what for fault in planted(plant)), field


@pytest.mark.slow
def test_a_distance_that_no_entry_keeps_is_found() -> None:
    def plant(report: Report, documents: Documents) -> None:
        del documents
        evidence = whys(report)[4]["evidence"][0]
        evidence["statement"] = "12 of 12 instance lives have it 41–43 s before"

    assert any("does not stand 41–43 s" in fault.what for fault in planted(plant))


@pytest.mark.slow
def test_more_confidence_than_the_root_has_is_found() -> None:
    def plant(report: Report, documents: Documents) -> None:
        del documents
        finding = next(f for f in report["findings"] if f["root"])
        finding["whys"][finding["root"]["why"] - 1]["verdict"] = "plausible"

    assert any("is more than why" in fault.what for fault in planted(plant))


def test_an_incident_of_no_cluster_is_found() -> None:
    def plant(report: Report, documents: Documents) -> None:
        del documents
        report["incidents"][0]["root_cluster"] = "container-oom-123456"

    assert any("not in the report" in fault.what for fault in planted(plant))


@pytest.mark.slow
def test_a_document_of_no_cluster_is_found() -> None:
    def plant(report: Report, documents: Documents) -> None:
        del report
        documents["five-whys/container-oom-123456.md"] = "# Out of memory\n"

    assert any("container-oom-123456" in fault.where for fault in planted(plant))


def test_a_quotation_with_a_secret_in_it_is_no_fault_when_it_is_redacted() -> None:
    found = run("hostile-text")
    assert "[redacted]" in str(found.report["clusters"])
    assert check(found.report, found.documents, found.records, found.rows, rulebook()[0]) == []


def first(report: Report, *path: str | int) -> Report:
    """Follow keys and places into a report."""
    found: Any = report
    for step in path:
        found = found[step]
    record: Report = found
    return record


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        (("postmortems", 0, "impact", 0), "count", 11),
        (("postmortems", 0, "impact", 0), "of", 15),
        (("postmortems", 0, "impact", 0), "statement", "13 instance lives (48 entries): something"),
        (("postmortems", 0, "summary", 0), "statement", "12 instance lives from 09:00 to 09:05"),
        (("postmortems", 0, "since", "evidence", 0), "statement", "first seen 12 min after the entries begin"),
        (("postmortems", 0, "recovery"), "answer", "It was over at 2026-02-03T09:02:00Z."),
        (("postmortems", 0, "recovery", "evidence", 0), "count", 4),
        (("postmortems", 0, "questions", 0), "command", "rm -rf /"),
        (("postmortems", 0, "questions", 0), "look_at", "Ask the person who wrote it."),
        (("findings", 0, "steps", 0), "explained", 11),
        (("findings", 0, "steps", 0), "statement", "It stands before 12 of 12, 9 s apart"),
        (("findings", 0), "query", 'severity>=ERROR\n"words that no entry holds"'),
        (("findings", 0, "rivals", 0), "entries", 7),
        (("findings", 0, "rivals", 0), "statement", "stands before 3 of 12"),
        (("lives",), "ended", 3),
        (("exposure",), "starts", 99),
        (("coverage",), "entries_selected", 7),
        (("clusters", 0, "life"), "median", 99.0),
        (("clusters", 0, "cadence"), "longest", 0.5),
        (("clusters", 0), "first_seen", "2026-02-03T08:00:00.000000Z"),
        (("timeline", 0), "time", "2026-02-03T08:00:00.000000Z"),
        (("timeline", 0), "text", "deployment of 7 revisions"),
        (("incidents", 0), "end", "2026-02-03T09:30:00.000000Z"),
        (("deploys", 0), "image", "europe-docker.pkg.dev/other:1"),
    ],
)
def test_what_is_planted_into_a_report_is_found(path: tuple[str | int, ...], field: str, value: object) -> None:
    def plant(report: Report, documents: Documents) -> None:
        del documents
        first(report, *path)[field] = value

    found = planted(plant)
    assert [fault for fault in found if "not carried by the report" not in fault.what and ".md" not in fault.where]


@pytest.mark.slow
def test_a_certificate_with_a_fact_that_is_not_so_is_found() -> None:
    def plant(report: Report, documents: Documents) -> None:
        del documents
        certified = next(r["certificate"] for f in report["findings"] for r in f["rivals"] if r["certificate"])
        certified["facts"] = [re.sub(r"\((\d+) entries", "(99999 entries", fact) for fact in certified["facts"]]

    assert any("certified, and not so" in fault.what for fault in planted(plant))


def test_another_measure_than_the_links_is_found() -> None:
    def plant(report: Report, documents: Documents) -> None:
        del documents
        every = [e for f in report["findings"] for why in f["whys"] for e in why["evidence"]]
        next(e for e in every if e["measure"] and e["values"] and e["kind"] == "linked")["measure"]["lift"] = 12345.0

    assert any("are not those of the link" in fault.what for fault in planted(plant))


def test_a_p_value_that_is_changed_in_a_document_is_found() -> None:
    found = run("late-logging")
    name = next(name for name in found.documents if name.startswith("five-whys/http-5xx-"))
    assert "100 × chance, p = 0.005" in found.documents[name]
    text = found.documents[name].replace("p = 0.005", "p = 0.003")
    assert not list(check_documents(found.report, found.documents))
    assert list(check_documents(found.report, found.documents | {name: text}))
