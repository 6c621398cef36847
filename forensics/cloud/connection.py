"""Connect to Cloud Logging as the user that options and environment name, over REST (here) or gRPC.

REST uses google-auth's session, as google-cloud-logging's client does. That client itself is not used, because it
decodes entries and thereby cuts nanoseconds. gRPC is in `grpc_transport`.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import requests
from google.auth import exceptions
from google.auth.transport.requests import AuthorizedSession
from msgspec import Struct

from forensics.cloud.access_errors import AccessError, BrokenOffError
from forensics.cloud.credentials import find_credentials, impersonated, no_token
from forensics.cloud.network_errors import in_words
from forensics.cloud.refusals import HttpAnswer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.auth.credentials import Credentials
    from requests import Response

REST, GRPC = "rest", "grpc"

GOOGLE = "https://logging.googleapis.com"
_LIST = "/v2/entries:list?prettyPrint=false"
_TIMEOUTS = (10.0, 90.0)
"""Seconds for connecting, and for each read of the response."""
_TIMEOUTS_OF_GREETING = (4.0, 8.0)
# my-project-123   example.com:my-project   123456789012
_PROJECT = re.compile(r"[a-z0-9][a-z0-9.:-]{0,99}")


class Access(Struct, frozen=True, kw_only=True):
    """The user's choices about the connection; empty fields are filled from the environment."""

    project: str = ""
    impersonate: str = ""
    """Email address of the service account to impersonate."""
    endpoint: str = ""
    """`http://host:port` for REST, `host:port` for gRPC: a test server or an emulator."""
    is_insecure: bool = False
    """Allows an endpoint on another computer."""
    transport: str = ""
    """`rest` or `grpc`; when empty, the endpoint decides, and without an endpoint REST is used."""


class Endpoint(Struct, frozen=True):
    """A server that is reached without credentials and without TLS."""

    address: str
    """`host:port`; an IPv6 host is in brackets."""
    is_rest: bool


class Transport(Protocol):
    """A connection to one project as one user; satisfies `pages.PageClient`."""

    project: str
    transport: str
    """`rest` or `grpc`."""
    server: str
    """`host` or `host:port`, for error messages."""

    def greet(self) -> None:
        """Ask for nothing, to see whether the server answers; raise BrokenOffError, or AccessError without a token."""
        ...

    def list_entries(self, body: bytes) -> HttpAnswer:
        """Request a page; body and answer are those of REST. Raise BrokenOffError, or AccessError without a token."""
        ...

    def close(self) -> None:
        """Close the sockets."""
        ...


class Connection:
    """A REST connection."""

    transport = REST

    def __init__(self, session: requests.Session, server: str, project: str) -> None:
        self._session = session
        self._root = server
        self.server = urlsplit(server).netloc
        self.project = project

    def greet(self) -> None:
        """Ask for the front page, which costs no quota: any answer will do."""
        self._ask("GET", "/", _TIMEOUTS_OF_GREETING)

    def list_entries(self, body: bytes) -> HttpAnswer:
        """Post one request for a page of entries; raise BrokenOffError when no complete response arrived."""
        response = self._ask("POST", _LIST, _TIMEOUTS, body)
        return HttpAnswer(response.status_code, response.headers, response.content)

    def _ask(self, method: str, path: str, timeouts: tuple[float, float], body: bytes | None = None) -> Response:
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "forensics"}
        try:
            # A redirect would carry the credentials to another host.
            return self._session.request(
                method, self._root + path, data=body, headers=headers, timeout=timeouts, allow_redirects=False
            )
        except exceptions.GoogleAuthError as error:
            raise no_token(error) from error
        except requests.RequestException as error:
            raise BrokenOffError(
                f"no whole answer from {self.server} ({in_words(error)}): check the network"
            ) from error

    def close(self) -> None:
        """Close the sockets."""
        self._session.close()


def connect(access: Access, environment: Mapping[str, str]) -> Transport:
    """Find credentials, server, project and transport, without contacting Cloud Logging; raise AccessError."""
    project_name = access.project or environment.get("GOOGLE_CLOUD_PROJECT", "")
    place = access.endpoint or environment.get("LOGGING_EMULATOR_HOST", "")
    if place:
        endpoint = read_endpoint(place, is_insecure=access.is_insecure)
        _require_transport(endpoint, place, access.transport)
        return _without_credentials(endpoint, _project(project_name))
    credentials, default_project = find_credentials()
    project = _project(project_name or default_project)
    if access.impersonate:
        credentials = impersonated(credentials, access.impersonate)
    if access.transport == GRPC:
        from forensics.cloud.grpc_transport import connect_to_google  # noqa: PLC0415 - heavy, and REST does without it

        return connect_to_google(credentials, project)
    return Connection(_authorized(credentials), GOOGLE, project)


def _require_transport(endpoint: Endpoint, place: str, transport: str) -> None:
    implied = REST if endpoint.is_rest else GRPC
    if transport and transport != implied:
        other = endpoint.address if endpoint.is_rest else f"http://{endpoint.address}"
        raise AccessError(f"{place!r} means {implied}, not {transport}: write {other}, or leave --transport out")


def _without_credentials(endpoint: Endpoint, project: str) -> Transport:
    if not endpoint.is_rest:
        from forensics.cloud.grpc_transport import connect_without_credentials  # noqa: PLC0415 - as in connect

        return connect_without_credentials(endpoint.address, project)
    session = requests.Session()
    session.trust_env = False  # neither a proxy nor a password of ~/.netrc belongs to a server on this computer
    return Connection(session, f"http://{endpoint.address}", project)


def _authorized(credentials: Credentials) -> AuthorizedSession:
    return AuthorizedSession(credentials)  # type: ignore[no-untyped-call]  # no types there


def read_endpoint(text: str, *, is_insecure: bool = False) -> Endpoint:
    """Read `http://host:port` or `host:port`; only this computer is allowed unless insecure."""
    is_rest = text.lower().startswith("http://")
    parts = _split(text if is_rest else f"//{text}")
    if parts is None:
        raise AccessError(f"{text!r} is no endpoint: write http://localhost:8085 (REST) or localhost:8085 (gRPC)")
    host, port = parts
    if not (is_insecure or _is_loopback(host)):
        raise AccessError(
            f"{text!r} is not on this computer, and would be spoken to without TLS: use --insecure if that is meant"
        )
    return Endpoint(f"[{host}]:{port}" if ":" in host else f"{host}:{port}", is_rest)


def _split(url: str) -> tuple[str, int] | None:
    """Return host and port; None when the URL holds anything else, which could only mislead."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    more = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
    if more or not host or port is None or not re.fullmatch(r"[A-Za-z0-9.-]+|[0-9a-fA-F:.]+", host):
        return None
    return host, port


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _project(name: str) -> str:
    if not name:
        raise AccessError("no project: use --project, or set GOOGLE_CLOUD_PROJECT")
    if not _PROJECT.fullmatch(name):
        raise AccessError(f"{name!r} is no project id: check the name with gcloud projects list")
    return name
