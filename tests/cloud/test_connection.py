from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("google.auth.transport.requests")

import google.auth
import requests
from google.auth import credentials, exceptions, impersonated_credentials
from google.auth.transport.requests import AuthorizedSession

from forensics.cloud.access_errors import AccessError, BrokenOffError
from forensics.cloud.connection import GOOGLE, Access, Connection, Endpoint, connect, read_endpoint
from forensics.errors import ForensicsError

ACCOUNT = "reader@p.iam.gserviceaccount.com"


def transport_error(said: str) -> exceptions.TransportError:
    return exceptions.TransportError(said)  # type: ignore[no-untyped-call]  # no types there


def refresh_error(*said: str, retryable: bool = False) -> exceptions.RefreshError:
    return exceptions.RefreshError(*said, retryable=retryable)  # type: ignore[no-untyped-call]  # no types there


def connect_rest(access: Access, environment: dict[str, str]) -> Connection:
    transport = connect(access, environment)
    assert isinstance(transport, Connection)
    return transport


@pytest.fixture
def _logged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    found = credentials.AnonymousCredentials()  # type: ignore[no-untyped-call]  # no types there
    monkeypatch.setattr(google.auth, "default", lambda **_: (found, "of-credentials"))


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("http://localhost:8085", Endpoint("localhost:8085", True)),
        ("http://127.0.0.1:8085/", Endpoint("127.0.0.1:8085", True)),
        ("HTTP://127.8.9.1:80", Endpoint("127.8.9.1:80", True)),
        ("http://[::1]:8085", Endpoint("[::1]:8085", True)),
        ("localhost:8085", Endpoint("localhost:8085", False)),
        ("[::1]:8085", Endpoint("[::1]:8085", False)),
    ],
)
def test_endpoints_are_read(text: str, endpoint: Endpoint) -> None:
    assert read_endpoint(text) == endpoint


@pytest.mark.parametrize(
    "text",
    [
        "https://localhost:8085",
        "localhost",
        "http://localhost",
        "http://user@localhost:80",
        "http://localhost:80/path",
        "http://localhost:80?x=1",
        "http://localhost:99999",
        "http://local host:80",
        "http://[::1:80",
        "http://:80",
        "/v2:80",
        "",
    ],
)
@pytest.mark.parametrize("is_insecure", [True, False])
def test_what_is_no_endpoint_is_refused(text: str, is_insecure: bool) -> None:  # noqa: FBT001 - a table
    with pytest.raises(AccessError, match=r"is no endpoint: write http://localhost:8085"):
        read_endpoint(text, is_insecure=is_insecure)


@pytest.mark.parametrize("host", ["example.com", "10.0.0.1", "0.0.0.0", "localhost.example.com", "127.0.0.1.nip.io"])  # noqa: S104 - refused
def test_only_this_computer_unless_insecure(host: str) -> None:
    with pytest.raises(AccessError, match="--insecure"):
        read_endpoint(f"http://{host}:80")
    assert read_endpoint(f"http://{host}:80", is_insecure=True) == Endpoint(f"{host}:80", True)


def test_an_emulator_needs_no_credentials_and_sees_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(google.auth, "default", lambda **_: pytest.fail("credentials were asked for"))
    environment = {"LOGGING_EMULATOR_HOST": "http://localhost:8085", "GOOGLE_CLOUD_PROJECT": "my-project"}
    connection = connect_rest(Access(), environment)
    assert connection.project == "my-project"
    assert connection._root == "http://localhost:8085"
    assert not isinstance(connection._session, AuthorizedSession)
    assert connection._session.trust_env is False
    with pytest.raises(AccessError, match="--insecure"):
        connect(Access(endpoint="http://example.com:80"), environment)


@pytest.mark.usefixtures("_logged_in")
def test_the_project_is_named_or_found() -> None:
    assert connect(Access(), {}).project == "of-credentials"
    assert connect(Access(), {"GOOGLE_CLOUD_PROJECT": "of-environment"}).project == "of-environment"
    connection = connect_rest(Access(project="example.com:mine"), {"GOOGLE_CLOUD_PROJECT": "of-environment"})
    assert connection.project == "example.com:mine"
    assert connection._root.startswith(GOOGLE)
    with pytest.raises(AccessError, match="no project id"):
        connect(Access(project="../x"), {})
    with pytest.raises(AccessError, match="use --project"):
        connect(Access(endpoint="http://localhost:80"), {})


@pytest.mark.usefixtures("_logged_in")
def test_a_service_account_is_impersonated_to_read_only() -> None:
    session = connect_rest(Access(impersonate=ACCOUNT), {})._session
    assert isinstance(session, AuthorizedSession)
    assert isinstance(session.credentials, impersonated_credentials.Credentials)
    assert session.credentials.service_account_email == ACCOUNT
    assert session.credentials._target_scopes == ["https://www.googleapis.com/auth/logging.read"]
    with pytest.raises(AccessError, match="is no service account"):
        connect(Access(impersonate="somebody"), {})


def test_no_credentials_is_one_line_with_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    missing = tmp_path / "missing.json"
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(missing))
    with pytest.raises(AccessError, match=r"missing\.json.*gcloud auth application-default login") as raised:
        connect(Access(project="my-project"), {})
    assert str(raised.value).isprintable()
    assert isinstance(raised.value, ForensicsError)


def test_a_file_that_is_no_credentials_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    slow_path = tmp_path / "odd.json"
    slow_path.write_text('{"type": "unheard of"}')
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(slow_path))
    with pytest.raises(AccessError, match="gcloud auth application-default login"):
        connect(Access(project="my-project"), {})


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (
            refresh_error("invalid_grant: expired", "{'access_token': 'secret'}"),
            AccessError,
            "application-default login$",
        ),
        (
            refresh_error("Unable to acquire impersonated credentials", "{}"),
            AccessError,
            "roles/iam.serviceAccountTokenCreator",
        ),
        (refresh_error("try later", retryable=True), BrokenOffError, "try again later"),
        (transport_error("no route"), BrokenOffError, "check the network"),
        (requests.ConnectionError("reset\nby peer"), BrokenOffError, "check the network"),
        (requests.exceptions.ChunkedEncodingError("cut"), BrokenOffError, "no whole answer"),
        (requests.Timeout(), BrokenOffError, "Timeout"),
        (requests.ConnectTimeout("(host=x)"), BrokenOffError, "no connection in time"),
        (requests.ConnectionError("[Errno 111] Connection refused"), BrokenOffError, "nothing listens there"),
    ],
)
def test_what_goes_wrong_on_the_way_is_one_line(
    monkeypatch: pytest.MonkeyPatch, error: Exception, kind: type[AccessError], words: str
) -> None:
    session = requests.Session()

    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(session, "request", fail)
    with pytest.raises(AccessError, match=words) as raised:
        Connection(session, GOOGLE, "p").list_entries(b"{}")
    assert type(raised.value) is kind
    assert str(raised.value).isprintable()
    assert "secret" not in str(raised.value)


def test_nothing_of_the_network_is_loaded_with_the_package() -> None:
    names = "{'google.auth', 'requests', 'ssl'}"
    code = f"import sys, forensics.cli, forensics.cloud; print(sorted({names} & set(sys.modules)))"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
