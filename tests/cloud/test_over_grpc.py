"""The way over gRPC answers as the one over REST does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import google.auth
import pytest
from cloud.faults import (
    Failure,
    FaultPlan,
    aborted,
    deadline_exceeded,
    internal,
    permission_denied,
    quota_used_up,
    service_disabled,
    unauthenticated,
    unavailable,
    unknown_project,
)
from cloud.protos import grpc
from cloud.pulls import Clock, ids_of, make_entry, pull
from cloud.samples import make_body
from cloud.server import CloudServer
from google.auth import credentials, exceptions

from forensics.cloud.access_errors import AccessError, BrokenOffError
from forensics.cloud.connection import Access, connect
from forensics.cloud.grpc_transport import GrpcConnection

if TYPE_CHECKING:
    from pathlib import Path

BODY = json.dumps(make_body()).encode()


class Passes(credentials.Credentials):
    """Tokens as long as there are any."""

    def __init__(self, *tokens: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # no types there
        self.tokens = list(tokens)

    def refresh(self, request: Any) -> None:
        del request
        if not self.tokens:
            raise exceptions.RefreshError("invalid_grant: Bad Request", {"access_token": "secret"})  # type: ignore[no-untyped-call]  # no types there
        self.token = self.tokens.pop(0)


def connection_with(passes: Passes, server: CloudServer) -> GrpcConnection:
    return GrpcConnection(grpc.insecure_channel(server.grpc_endpoint), "there", "p", passes)


def refusal(server: CloudServer, transport: str, folder: Path) -> str:
    with pytest.raises(AccessError) as raised:
        pull(server.endpoint(transport), folder, Clock())
    assert str(raised.value).isprintable()
    return str(raised.value)


@pytest.mark.parametrize(
    "failure",
    [
        unavailable(),
        internal(),
        deadline_exceeded(),
        aborted(),
        quota_used_up(),
        quota_used_up(retry_after=40),
        permission_denied(),
        service_disabled(),
        unknown_project("p"),
        unauthenticated(),
        Failure("INVALID_ARGUMENT", "Unparseable\nfilter \x1b[2J"),
    ],
    ids=lambda failure: failure.status,
)
def test_a_refusal_is_the_same_line_and_as_many_tries_over_both(failure: Failure, tmp_path: Path) -> None:
    with CloudServer([make_entry(1)]) as server:
        told, tries = [], []
        for transport in ("rest", "grpc"):
            server.begin_anew(FaultPlan([failure] * 200), Clock())
            told.append(refusal(server, transport, tmp_path / transport))
            tries.append(len(server.requests))
    assert told[0] == told[1]
    assert tries[0] == tries[1]


def test_a_token_that_was_withdrawn_is_made_anew_once() -> None:
    with CloudServer([make_entry(1)], faults=FaultPlan([unauthenticated()])) as server:
        passes = Passes("first", "second", "third")
        connection = connection_with(passes, server)
        assert connection.list_entries(BODY).status == 200
        assert connection.list_entries(BODY).status == 200
        assert (passes.token, passes.tokens) == ("second", ["third"])
        server.begin_anew(FaultPlan([unauthenticated()] * 2), Clock())
        assert connection.list_entries(BODY).status == 401
        assert len(server.requests) == 2
        connection.close()


def test_credentials_that_are_refused_are_one_line_and_no_request() -> None:
    with CloudServer([make_entry(1)]) as server:
        connection = connection_with(Passes(), server)
        with pytest.raises(AccessError, match=r"invalid_grant.*: gcloud auth application-default login$") as raised:
            connection.list_entries(BODY)
        connection.close()
        assert server.requests == []
    assert type(raised.value) is AccessError
    assert "secret" not in str(raised.value)


def test_nobody_there_is_one_line() -> None:
    connection = connect(Access(project="p", endpoint="127.0.0.1:1"), {})
    with pytest.raises(BrokenOffError, match=r"no whole answer from 127\.0\.0\.1:1 \(UNAVAILABLE: .*check the network"):
        connection.list_entries(BODY)
    connection.close()


def test_a_page_of_many_megabytes_is_a_page(tmp_path: Path) -> None:
    with CloudServer(make_entry(number, textPayload="long " * 4000) for number in range(600)) as server:
        pull(server.grpc_endpoint, tmp_path / "case")
        assert len(server.requests) == 2
    assert len(ids_of(tmp_path / "case")) == 600


def test_the_endpoint_tells_the_transport() -> None:
    for place, name in (("localhost:8085", "grpc"), ("http://localhost:8085", "rest")):
        for asked in ("", name):
            transport = connect(Access(project="p", endpoint=place, transport=asked), {})
            assert transport.transport == name
            transport.close()
        transport = connect(Access(project="p"), {"LOGGING_EMULATOR_HOST": place})
        assert transport.transport == name
        transport.close()
    with pytest.raises(AccessError, match="means rest, not grpc: write localhost:8085, or leave --transport out"):
        connect(Access(project="p", endpoint="http://localhost:8085", transport="grpc"), {})
    with pytest.raises(AccessError, match="means grpc, not rest: write http://localhost:8085"):
        connect(Access(project="p", transport="rest"), {"LOGGING_EMULATOR_HOST": "localhost:8085"})
    with pytest.raises(AccessError, match="--insecure"):
        connect(Access(project="p", endpoint="example.com:443"), {})


def test_google_itself_is_asked_with_the_users_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    passes = Passes("token")
    monkeypatch.setattr(google.auth, "default", lambda **_: (passes, "of-credentials"))
    assert connect(Access(), {}).transport == "rest"
    transport = connect(Access(transport="grpc"), {})
    assert isinstance(transport, GrpcConnection)
    assert (transport.project, transport.server, transport._credentials) == (
        "of-credentials",
        "logging.googleapis.com",
        passes,
    )
    assert transport._token() == {"authorization": "Bearer token"}
    transport.close()
