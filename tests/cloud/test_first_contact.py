"""Whoever cannot reach Cloud Logging at all knows it within seconds, and knows why; also in a pipe."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from cloud.server import CloudServer

from forensics.cloud.access_errors import AccessError, BrokenOffError
from forensics.cloud.connection import Access, connect
from forensics.cloud.first_contact import reach

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from forensics.cloud.refusals import HttpAnswer

LONGEST = 20.0
ACCOUNT = {
    "type": "service_account",
    "project_id": "p",
    "private_key_id": "1",
    "client_email": "a@p.iam.gserviceaccount.com",
    "client_id": "1",
    "token_uri": "https://oauth2.googleapis.com/token",
}


@contextmanager
def silent_port() -> Iterator[int]:
    """A port that takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield server.getsockname()[1]


def closed_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def ask(folder: Path, *more: str, **environment: str) -> tuple[int, str, float]:
    keep = {name: value for name, value in os.environ.items() if not name.upper().startswith(("GOOGLE_", "HTTP"))}
    keep |= {"NO_GCE_CHECK": "true", "CLOUDSDK_CONFIG": "/nowhere"}
    command = [sys.executable, "-m", "forensics", "analyze", "--revision", "shop-api-00042", "--project", "p", "--live"]
    began = time.monotonic()
    done = subprocess.run(
        [*command, *more], capture_output=True, text=True, cwd=folder, check=False, env=keep | environment, timeout=60
    )
    return done.returncode, done.stderr, time.monotonic() - began


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["http://", ""], ids=["rest", "grpc"])
def test_a_port_on_which_nothing_listens_is_told(scheme: str, tmp_path: Path) -> None:
    code, err, seconds = ask(tmp_path, "--endpoint", f"{scheme}127.0.0.1:{closed_port()}")
    assert (code, err.count("\n")) == (2, 1)
    assert "connection refused: nothing listens there" in err
    assert seconds < LONGEST


@pytest.fixture
def credentials(tmp_path: Path) -> str:
    rsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.rsa")
    serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    file = tmp_path / "key.json"
    file.write_text(json.dumps(ACCOUNT | {"private_key": pem}))
    return str(file)


@pytest.mark.slow
def test_who_never_answers_is_told_a_server_or_a_proxy_and_by_both_transports(tmp_path: Path, credentials: str) -> None:
    """Four programs wait at once, each for most of the time allowed."""
    with silent_port() as port, ThreadPoolExecutor() as pool:
        proxy = {"HTTPS_PROXY": f"http://127.0.0.1:{port}", "GOOGLE_APPLICATION_CREDENTIALS": credentials}
        servers = [
            pool.submit(ask, tmp_path, "--endpoint", f"{scheme}127.0.0.1:{port}", "--out", scheme[:4] or "grpc")
            for scheme in ("http://", "")
        ]
        proxies = [
            pool.submit(ask, tmp_path, "--transport", transport, "--out", f"proxy-{transport}", **proxy)
            for transport in ("rest", "grpc")
        ]
        by_server, by_proxy = ([one.result() for one in group] for group in (servers, proxies))
    for code, err, seconds in (*by_server, *by_proxy):
        assert (code, err.count("\n")) == (2, 1)
        assert seconds < LONGEST
    assert all("no answer" in err and ("in time" in err or "within" in err) for _, err, _ in by_server)
    assert all("no answer" in err or "proxy" in err for _, err, _ in by_proxy)


@pytest.mark.slow
def test_a_proxy_that_is_not_there_is_told(tmp_path: Path, credentials: str) -> None:
    proxy = f"http://127.0.0.1:{closed_port()}"
    code, err, seconds = ask(tmp_path, HTTPS_PROXY=proxy, GOOGLE_APPLICATION_CREDENTIALS=credentials)
    assert (code, err.count("\n")) == (2, 1)
    assert "proxy" in err
    assert seconds < LONGEST


class Peer:
    """A connection whose greetings end as planned."""

    transport, server, project = "rest", "peer:1", "p"

    def __init__(self, *outcomes: Exception | None, seconds: float = 0.0) -> None:
        self.outcomes = [*outcomes]
        self._seconds = seconds

    def greet(self) -> None:
        time.sleep(self._seconds)
        outcome = self.outcomes.pop(0)
        if outcome is not None:
            raise outcome

    def list_entries(self, body: bytes) -> HttpAnswer:
        raise NotImplementedError(body)

    def close(self) -> None:
        """Nothing is open."""


def test_a_network_that_comes_up_is_met_by_a_later_try() -> None:
    peer = Peer(BrokenOffError("no"), None)
    reach(peer)
    assert peer.outcomes == []


def test_who_hangs_without_an_error_is_given_up() -> None:
    with pytest.raises(AccessError, match="no answer from peer:1 within 0 s: check the network"):
        reach(Peer(None, seconds=2.0), longest=0.2)


def test_a_refusal_for_good_is_not_tried_again() -> None:
    peer = Peer(AccessError("the credentials were refused"), None)
    with pytest.raises(AccessError, match="refused"):
        reach(peer)
    assert len(peer.outcomes) == 1


@pytest.mark.slow
@pytest.mark.parametrize("transport", ["rest", "grpc"])
def test_greeting_costs_no_request_of_the_quota(transport: str) -> None:
    with CloudServer([]) as server:
        connection = connect(Access(project="p", endpoint=server.endpoint(transport)), {})
        reach(connection)
        connection.close()
        assert server.requests == []
