"""What a repository shows: each verdict from commits made for it, through the shipped rules."""

from __future__ import annotations

from contextlib import closing
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pytest
from builders import REVISION, query, raw, raws
from repositories import Made

from forensics.model import Code, Report, Verdict, Why
from forensics.pipeline import analyze
from forensics.repository import GitRepository
from forensics.rulebook import load_rules

if TYPE_CHECKING:
    from pathlib import Path

shipped = lru_cache(1)(load_rules)
DOCKERFILE = "FROM python:3.11-slim\nCOPY . /app\n"


def traceback(last: str, *, file: str = "/app/shop/main.py", line: int = 2) -> str:
    return f'Traceback (most recent call last):\n  File "{file}", line {line}, in <module>\n    import it\n{last}'


def missing(module: str, **place: Any) -> str:
    return traceback(f"ModuleNotFoundError: No module named '{module}'", **place)


def report(
    made: Made | None, text: str, *, commit: str | None = "HEAD", baseline: str | None = None, **fields: Any
) -> Report:
    rules, info = shipped()
    records = raws(*(raw(text, at=60.0 * n, number=n, severity="ERROR", **fields) for n in range(2)))

    def run(code: GitRepository | None) -> Report:
        return analyze(records, rules, query(), rulebook=info, tool_version="test", code=code).report

    if made is None:
        return run(None)
    with closing(GitRepository(made.path, commit=commit, baseline=baseline)) as code:
        return run(code)


def asked(made: Made | None, text: str, **fields: Any) -> Why:
    """Return the first answer that commits were asked for."""
    found = report(made, text, **fields)
    whys = [why for finding in found.findings for why in finding.whys if any(e.kind == "commits" for e in why.evidence)]
    return whys[0]


def said(why: Why) -> str:
    return "\n".join(evidence.statement for evidence in why.evidence)


@pytest.fixture
def shop(tmp_path: Path) -> Made:
    made = Made(tmp_path / "shop")
    files: dict[str, str | bytes | None] = {
        "Dockerfile": DOCKERFILE,
        "requirements.txt": "flask==3.0\nPyYAML>=6  # settings\n",
        "shop/__init__.py": "",
        "shop/main.py": "import flask\nfrom shop import pay\nrun()\n",
        "shop/pay.py": "def charge():\n    return 1\n",
        "shop/monitoring/__init__.py": "",
        "shop/monitoring/errors.py": "x = 1\n",
    }
    made.commit("First", files)
    return made


def test_without_a_repository_the_next_step_names_the_option() -> None:
    why = asked(None, missing("shop.monitoring"))
    assert (why.verdict, why.answer) == (Verdict.NOT_OBSERVABLE, None)
    assert "--repo PATH" in str(why.next_step)


def test_left_out_by_a_line_of_a_commit(shop: Made) -> None:
    shop.commit("Some lines", {".dockerignore": "# junk\nnode_modules\n"})
    added = shop.commit("Keep metrics out", {".dockerignore": "# junk\nnode_modules\n**/monitoring/\n"})
    shop.commit("Move the line", {".dockerignore": "# junk\n*.md\nnode_modules\n**/monitoring/\n"})
    why = asked(shop, missing("shop.monitoring"))
    assert why.verdict is Verdict.SUPPORTED
    assert shop.last is not None
    assert why.answer == (
        f"`shop/monitoring/` exists at commit {shop.last[:7]} and is left out of the image by line 4 of "
        f"`.dockerignore` (`**/monitoring/`), added in {added[:7]} (Keep metrics out)"
    )
    assert why.evidence[0].values == {"file": ".dockerignore", "line": "4", "commit": added}


def test_a_later_exception_brings_it_back(shop: Made) -> None:
    shop.commit("x", {".dockerignore": "**/monitoring/\n!shop/monitoring\n"})
    why = asked(shop, missing("shop.monitoring"))
    assert (why.verdict, why.answer) == (Verdict.NO_EVIDENCE, None)
    assert "no line of `.dockerignore` leaves it out" in said(why)


def test_half_a_package_in_the_image_is_no_missing_package(shop: Made) -> None:
    shop.commit("x", {".dockerignore": "shop/monitoring/errors.py\n"})
    assert asked(shop, missing("shop.monitoring")).verdict is Verdict.NO_EVIDENCE
    assert asked(shop, missing("shop.monitoring.errors")).verdict is Verdict.SUPPORTED


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"Dockerfile": None, ".dockerignore": "**/monitoring"}, "there is no Dockerfile"),
        ({".dockerignore": "**/monitoring", "web.Dockerfile.dockerignore": "x"}, "which of the two was used"),
        ({".gcloudignore": "monitoring/\n"}, "uploaded with gcloud is not shown"),
    ],
)
def test_what_is_not_known_about_the_build_weakens_the_answer(
    shop: Made, files: dict[str, str | bytes | None], words: str
) -> None:
    shop.commit("x", files)
    why = asked(shop, missing("shop.monitoring"))
    assert why.verdict is Verdict.PLAUSIBLE
    assert words in said(why)


def test_never_committed_and_ignored_by_git(shop: Made) -> None:
    added = shop.commit("Ignore billing", {".gitignore": "\n/shop/billing/\n"})
    why = asked(shop, missing("shop.billing"))
    assert why.verdict is Verdict.SUPPORTED
    assert "`shop/billing/` or `shop/billing.py` is not in commit" in str(why.answer)
    assert "never committed" in str(why.answer)
    assert f"line 2 of `.gitignore` (`/shop/billing/`), added in {added[:7]}" in said(why)


def test_removed_moved_and_committed_later(shop: Made) -> None:
    removed = shop.commit("Drop pay", {"shop/pay.py": None})
    why = asked(shop, missing("shop.pay"))
    assert why.verdict is Verdict.SUPPORTED
    assert f"{removed[:7]} (Drop pay) removed it" in str(why.answer)
    text = "".join(f"value_{n} = {n}\n" for n in range(20))
    shop.commit("Bring it back", {"shop/pay.py": text})
    moved = shop.commit("Tidy", {"shop/pay.py": None, "shop/money/pay.py": text})
    assert f"{moved[:7]} (Tidy) moved it: `shop/pay.py` became `shop/money/pay.py`" in str(
        asked(shop, missing("shop.pay")).answer
    )
    later = shop.commit("Add refunds", {"shop/refunds.py": "1"})
    why = asked(shop, missing("shop.refunds"), commit=moved)
    assert why.verdict is Verdict.SUPPORTED
    assert f"committed later, in {later[:7]} (Add refunds)" in str(why.answer)


def test_a_name_that_differs_in_case_alone(shop: Made) -> None:
    shop.commit("x", {"shop/Refunds.py": "1"})
    assert "upper and lower case differ" in str(asked(shop, missing("shop.refunds")).answer)


def test_a_submodule_is_another_repository(shop: Made) -> None:
    assert shop.last is not None
    shop.files[b"shop/vendor"] = (0o160000, shop.last.encode())
    shop.commit("x")
    why = asked(shop, missing("shop.vendor.client"))
    assert (why.verdict, "a submodule" in str(why.answer)) == (Verdict.PLAUSIBLE, True)


def test_requirement_files_name_a_distribution_lack_it_or_lost_it(shop: Made) -> None:
    why = asked(shop, missing("stripe"))
    assert (why.verdict, "names `stripe` (looked at: `requirements.txt`)" in said(why)) == (Verdict.PLAUSIBLE, True)
    why = asked(shop, missing("yaml"))
    assert (why.verdict, why.answer) == (Verdict.NO_EVIDENCE, None)
    assert "`requirements.txt`, line 2, names `yaml`" in said(why)
    lost = shop.commit("Fewer packages", {"requirements.txt": "flask==3.0\n"})
    why = asked(shop, missing("yaml"))
    assert why.verdict is Verdict.SUPPORTED
    assert f"{lost[:7]} (Fewer packages) took it out of `requirements.txt` (line 2 before)" in str(why.answer)


@pytest.mark.parametrize(
    ("file", "text", "named"),
    [
        ("pyproject.toml", '[project]\ndependencies = ["google-generativeai>=0.5"]\n', True),
        ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.11"\ngoogle_generativeai = "*"\n', True),
        ("poetry.lock", '[[package]]\nname = "google-generativeai"\nversion = "1"\n', True),
        ("Pipfile.lock", '{"default": {\n"google-generativeai": {}}}', True),
        ("setup.py", "setup(install_requires=['google-generativeai'])", True),
        ("requirements/base.txt", "google.generativeai [x] == 1\n", True),
        ("requirements.txt", "# google-generativeai\ngoogle-cloud-storage\n", False),
        ("pyproject.toml", "not toml google-generativeai", False),
    ],
)
def test_every_kind_of_requirement_file(tmp_path: Path, file: str, text: str, named: bool) -> None:  # noqa: FBT001 - a table
    made = Made(tmp_path / "r")
    made.commit("x", {"main.py": "x", file: text})
    verdict = asked(made, missing("google.generativeai", file="/app/main.py")).verdict
    assert verdict is (Verdict.NO_EVIDENCE if named else Verdict.PLAUSIBLE)


@pytest.mark.parametrize(
    ("module", "python", "verdict", "words"),
    [
        ("distutils.util", "3.12", Verdict.SUPPORTED, "left the standard library with Python 3.12, and line 1 of"),
        ("tomllib", "3.10", Verdict.SUPPORTED, "is in the standard library from Python 3.11 on"),
        ("distutils", "3.11", Verdict.PLAUSIBLE, "no requirement file"),
    ],
)
def test_modules_that_came_or_left_with_a_version(
    shop: Made, module: str, python: str, verdict: Verdict, words: str
) -> None:
    shop.commit("x", {"Dockerfile": f"FROM python:{python}-slim\n"})
    why = asked(shop, missing(module))
    assert (why.verdict, words in str(why.answer)) == (verdict, True)


def test_for_development_alone(tmp_path: Path) -> None:
    made = Made(tmp_path / "r")
    made.commit("x", {"main.py": "x", "requirements.txt": "flask\n", "requirements-dev.txt": "pytest\n"})
    assert "for development alone" in str(asked(made, missing("pytest", file="/app/main.py")).answer)


def test_several_services_in_one_repository_are_told_apart_by_the_frame(tmp_path: Path) -> None:
    made = Made(tmp_path / "mono")
    files: dict[str, str | bytes | None] = {
        f"{name}/shop/{file}.py": "x\n" * 5 for name in ("a", "b") for file in ("pay", "main")
    }
    made.commit("x", {**files, "a/shop/only.py": "x\n", "a/Dockerfile": DOCKERFILE, "a/.dockerignore": "shop/pay.py"})
    why = asked(made, missing("shop.pay"))
    assert why.verdict is Verdict.NO_EVIDENCE
    assert "several folders of commit" in said(why)
    why = asked(made, missing("shop.pay", file="/app/shop/only.py", line=1))
    assert (why.verdict, "line 1 of `a/.dockerignore`" in str(why.answer)) == (Verdict.SUPPORTED, True)


def test_commits_since_the_baseline_that_decide_about_the_image(shop: Made) -> None:
    base = shop.last
    shop.commit("New base image", {"Dockerfile": "FROM python:3.12\n"})
    shop.commit("Words", {"README.md": "x"})
    why = asked(shop, missing("shop.monitoring"), baseline=base)
    assert "(New base image) touches `Dockerfile`" in said(why)
    assert "Words" not in said(why)


def test_the_lines_at_a_frame_and_who_wrote_them(shop: Made) -> None:
    base = shop.last
    text = traceback("ZeroDivisionError: division by zero", file="/app/shop/pay.py", line=2)
    why = asked(shop, text, baseline=base)
    assert (why.verdict, "baseline and deployed commit are the same" in said(why)) == (Verdict.NO_EVIDENCE, True)
    changed = shop.commit("Divide", {"shop/pay.py": "def charge():\n    return 1 / 0  # password=hunter22\n"})
    why = asked(shop, text, baseline=base)
    assert why.verdict is Verdict.SUPPORTED
    assert f"{changed[:7]} (Divide) wrote line 2 of `shop/pay.py`" in said(why)
    assert "2 `return 1 / 0" in said(why)
    assert "hunter22" not in said(why)
    why = asked(shop, text)
    assert why.verdict is Verdict.NO_EVIDENCE
    assert "(Divide), " in said(why)
    assert "--baseline-commit" in str(why.next_step)
    shop.commit(
        "Elsewhere in the file", {"shop/pay.py": "def charge():\n    return 1 / 0  # password=hunter22\n\nx = 1\n"}
    )
    assert asked(shop, text, baseline=changed).verdict is Verdict.PLAUSIBLE


def test_a_file_that_fits_twice_or_not_at_all(shop: Made) -> None:
    shop.commit("x", {"old/shop/pay.py": "1"})
    text = "ZeroDivisionError: division by zero"
    assert "several files of commit" in said(asked(shop, traceback(text, file="/app/shop/pay.py")))
    assert "no file of commit" in said(asked(shop, traceback(text, file="/app/other/thing.py")))


def test_a_name_that_a_module_never_had_lost_or_has(shop: Made) -> None:
    text = "ImportError: cannot import name '{}' from 'shop.pay' (/app/shop/pay.py)"
    why = asked(shop, traceback(text.format("refund")))
    assert why.verdict is Verdict.SUPPORTED
    assert "does not define `refund`; no version before it does" in str(why.answer)
    gone = shop.commit("Rename charge", {"shop/pay.py": "def bill():\n    return 1\n"})
    assert f"{gone[:7]} (Rename charge) took it away" in str(asked(shop, traceback(text.format("charge"))).answer)
    why = asked(shop, traceback(text.format("bill")))
    assert (why.verdict, "defines `bill`, at line 1" in said(why)) == (Verdict.NO_EVIDENCE, True)
    shop.commit("Stars", {"shop/pay.py": "from os import *\n"})
    assert asked(shop, traceback(text.format("bill"))).verdict is Verdict.NO_EVIDENCE


def syntax(problem: str, line: int) -> str:
    place = f'  File "/app/shop/new.py", line {line}'
    return f"Traceback (most recent call last):\n{place}\n    x\n    ^\nSyntaxError: {problem}"


@pytest.mark.parametrize(
    ("dockerfile", "source", "verdict", "words"),
    [
        (
            "FROM python:3.9",
            "match x:\n    case 1:\n        pass\n",
            Verdict.SUPPORTED,
            "not as Python 3.9, which line 1 of",
        ),
        (
            "FROM python:3.10-slim",
            "try:\n    pass\nexcept* ValueError:\n    pass\n",
            Verdict.SUPPORTED,
            "not as Python 3.10",
        ),
        (
            "ARG V=3.9\nFROM python:${V}-slim AS base\nFROM base",
            "match x:\n    case 1: pass\n",
            Verdict.SUPPORTED,
            "line 2 of `Dockerfile`",
        ),
        ("FROM python:3.10", "match x:\n    case 1: pass\n", Verdict.NO_EVIDENCE, "parses as Python 3.10"),
        ("FROM node:22", "match x:\n    case 1: pass\n", Verdict.NO_EVIDENCE, "is not shown by a Dockerfile"),
        ("FROM python:3.9", "def f(:\n", Verdict.SUPPORTED, "the commit itself is broken"),
        ("FROM python:3.9", "x = '\0'\n", Verdict.NO_EVIDENCE, "is no text"),
    ],
)
def test_syntax_newer_than_the_image(shop: Made, dockerfile: str, source: str, verdict: Verdict, words: str) -> None:
    shop.commit("New syntax", {"Dockerfile": dockerfile + "\n", "shop/new.py": source})
    why = asked(shop, syntax("invalid syntax", 1))
    assert (why.verdict, words in said(why)) == (verdict, True), said(why)


def test_parsing_a_file_does_not_run_it(shop: Made, tmp_path: Path) -> None:
    trap = tmp_path / "ran"
    shop.commit(
        "x", {"shop/new.py": f"open({str(trap)!r}, 'w')\n'\\d'\n", "shop/pay.py": f"open({str(trap)!r}, 'w')\n"}
    )
    asked(shop, syntax("invalid syntax", 1))
    asked(shop, traceback("ImportError: cannot import name 'x' from 'shop.pay' (/app/shop/pay.py)"))
    assert not trap.exists()


def node(module: str) -> str:
    return (
        f"Error: Cannot find module '{module}'\nRequire stack:\n- /app/src/server.js\n"
        "    at Module._resolveFilename (node:internal/modules/cjs/loader:1225:15)\n"
        "    at main (/app/src/server.js:3:9)"
    )


@pytest.mark.parametrize(
    ("module", "verdict", "words"),
    [
        ("express", Verdict.NO_EVIDENCE, "`package.json`, line 2, names `express`"),
        ("@acme/log/sub", Verdict.PLAUSIBLE, "no requirement file at commit"),
        ("jest", Verdict.PLAUSIBLE, "for development alone"),
        ("./routes/orders", Verdict.SUPPORTED, "left out of the image by line 1 of `.dockerignore` (`src/routes`)"),
        ("./Server", Verdict.SUPPORTED, "upper and lower case differ"),
        ("/app/dist/main.js", Verdict.NO_EVIDENCE, "a build makes it"),
        ("./never", Verdict.SUPPORTED, "never committed"),
    ],
)
def test_modules_of_node(tmp_path: Path, module: str, verdict: Verdict, words: str) -> None:
    made = Made(tmp_path / "r")
    package = '{\n"dependencies": {"express": "5"},\n"devDependencies": {"jest": "1"}}'
    made.commit(
        "x",
        {
            "package.json": package,
            "src/server.js": "1\n",
            "src/routes/orders.js": "1",
            ".dockerignore": "src/routes",
            "Dockerfile": "FROM node:22",
        },
    )
    why = asked(made, node(module))
    assert (why.verdict, words in said(why)) == (verdict, True), said(why)


def test_an_assumed_commit_carries_no_certainty(shop: Made) -> None:
    shop.commit("x", {".dockerignore": "**/monitoring"}, at="2026-03-01T09:00:00Z")
    shop.commit("after the first entry", {".dockerignore": None}, at="2026-03-01T12:00:00Z")
    found = report(shop, missing("shop.monitoring"), commit=None)
    (deployed,) = found.code.deployed if found.code else ()
    assert (deployed.how, deployed.assumed, deployed.revision) == ("time of the first entry", True, REVISION)
    why = asked(shop, missing("shop.monitoring"), commit=None)
    assert why.verdict is Verdict.PLAUSIBLE
    assert "is an assumption: it is the newest on HEAD before the revision's first entry" in said(why)


def test_a_label_of_the_entries_names_the_commit(shop: Made) -> None:
    first = shop.last
    assert first is not None
    shop.commit("x", {".dockerignore": "**/monitoring"})
    labels = {"instanceId": "i1", "commit-sha": first, "gcb-build-id": "11112222"}
    found = report(shop, missing("shop.monitoring"), commit=None, labels=labels)
    assert isinstance(found.code, Code)
    (deployed,) = found.code.deployed
    assert (deployed.how, deployed.assumed, deployed.commit and deployed.commit.id) == ("label", False, first)
    why = asked(shop, missing("shop.monitoring"), commit=None, labels={**labels, "commit-sha": "f" * 40})
    assert why.verdict is Verdict.NOT_OBSERVABLE
    assert "which is not in the repository" in said(why)


def test_a_repository_that_breaks_on_the_way_leaves_the_question_open(shop: Made) -> None:
    blob = shop.files[b"shop/pay.py"][1].decode()
    (shop.path / f".git/objects/{blob[:2]}/{blob[2:]}").unlink()
    why = asked(shop, traceback("ZeroDivisionError: division by zero", file="/app/shop/pay.py"))
    assert why.verdict is Verdict.NOT_OBSERVABLE
    assert "is not in this clone" in said(why)


def test_hostile_names_never_become_paths_or_patterns(shop: Made) -> None:
    for module in ("..", "a..b", "shop.[z", "shop.*", "x" * 5000, "../../etc/passwd", "-rf"):
        for text in (missing(module), node(module)):
            found = report(shop, text)
            assert found.code is not None


def test_the_report_is_the_same_twice_and_holds_no_address(shop: Made) -> None:
    shop.commit("x", {".dockerignore": "**/monitoring"})
    first, second = (report(shop, missing("shop.monitoring"), baseline=None) for _ in range(2))
    assert first == second
    assert "jo.dev" not in repr(first)
