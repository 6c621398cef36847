"""Why a module is missing: each verdict from commits made for it, through the shipped rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.repositories import Made
from whys.asking import DOCKERFILE, asked, missing, node, said

from forensics.model import Verdict

if TYPE_CHECKING:
    from pathlib import Path


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
    made.commit(
        "x",
        {**files, "a/shop/only.py": "x\n", "a/Dockerfile": DOCKERFILE, "a/.dockerignore": "shop/pay.py"},
    )
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
