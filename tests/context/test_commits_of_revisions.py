"""Which commit a revision was built from, and how that is known."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from support.builders import REVISION, entry
from support.repositories import Made

from forensics.context.commits import find_deployed
from forensics.sources.repository import GitRepository
from forensics.text.timestamps import parse_time

if TYPE_CHECKING:
    from pathlib import Path

    from forensics.model import DeployedCommit


@pytest.fixture
def made(tmp_path: Path) -> Made:
    made = Made(tmp_path / "shop")
    made.commit("old", {"a": "1"}, at="2026-03-01T09:00:00Z")
    made.commit("deployed", {"a": "2"}, at="2026-03-01T09:59:00Z")
    made.commit("new", {"a": "3"}, at="2026-03-01T10:30:00Z")
    return made


def deploy(image: str = "", labels: dict[str, Any] | None = None, *, at: float = -30.0) -> Any:
    spec = {"metadata": {"labels": labels or {}}, "spec": {"containers": [{"image": image}]}}
    proto = {
        "methodName": "google.cloud.run.v1.Services.ReplaceService",
        "request": {"service": {"spec": {"template": spec}}},
        "response": {"status": {"latestCreatedRevisionName": REVISION}},
    }
    return entry(at=at, stream="activity", revision="", protoPayload=proto)


def found(made: Made, *audit: Any, commit: str | None = None) -> DeployedCommit:
    with closing(GitRepository(made.path, commit=commit)) as base:
        return find_deployed(base, REVISION, audit, entry("hello", at=1800.0))


def test_what_names_the_commit_is_asked_in_order(made: Made) -> None:
    assert made.last is not None
    last = made.last
    with closing(GitRepository(made.path)) as base:
        old = base.before(int(parse_time("2026-03-01T09:30:00Z")))
    assert old is not None
    image = f"europe-docker.pkg.dev/p/r/shop:staging-{old.short}"
    given = found(made, deploy(image, {"commit-sha": old.id}), commit=last)
    assert (given.how, given.commit and given.commit.id) == ("given", last)
    label = found(made, deploy(image, {"gcb-build-id": "12345678", "commit-sha": old.id}))
    assert (label.how, label.commit and label.commit.subject, label.assumed) == ("label", "old", False)
    tag = found(made, deploy(image, {"team": "abcdef12"}))
    assert (tag.how, tag.commit and tag.commit.subject) == ("image", "old")
    time = found(made, deploy("europe-docker.pkg.dev/p/r/shop:20260301"))
    assert (time.how, time.commit and time.commit.subject, time.assumed) == ("time of the deploy", "deployed", True)
    first = found(made)
    assert (first.how, first.commit and first.commit.subject, first.assumed) == ("time of the first entry", "new", True)


@pytest.mark.parametrize("tag", ["latest", "v1.2.3", "20260301", "1234567"])
def test_a_tag_that_is_no_commit_names_none(made: Made, tag: str) -> None:
    assert found(made, deploy(f"gcr.io/p/shop:{tag}")).how == "time of the deploy"


def test_a_digest_is_no_commit(made: Made) -> None:
    assert found(made, deploy(f"gcr.io/p/shop@sha256:{'a' * 64}")).how == "time of the deploy"


def test_a_named_commit_that_the_repository_lacks_is_not_replaced_by_a_guess(made: Made) -> None:
    for audit in (deploy(labels={"commit-sha": "f" * 40}), deploy(f"gcr.io/p/shop:{'e' * 40}")):
        unknown = found(made, audit)
        assert unknown.commit is None
        assert "which is not in the repository" in unknown.statement


def test_entries_older_than_every_commit(made: Made) -> None:
    early = found(made, deploy(at=-86400.0))
    assert (early.commit, "no commit on HEAD is older" in early.statement) == (None, True)


def test_labels_that_hold_anything_else(made: Made) -> None:
    for value in ("", "HEAD", "../../x", 7, None, {"a": 1}, "g" * 40):
        assert found(made, deploy(labels={"commit-sha": value})).how == "time of the deploy"
