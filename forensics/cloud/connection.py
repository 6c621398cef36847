"""Flags and environment in; a session that posts to Cloud Logging over REST as the right user out.

The session is google-auth's, as in google-cloud-logging's own client; the client itself is passed by, because it
decodes entries, and thereby cuts nanoseconds.
"""

from __future__ import annotations

import ipaddress
import re
import warnings
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import google.auth
import requests
from google.auth import exceptions, impersonated_credentials
from google.auth.transport.requests import AuthorizedSession
from msgspec import Struct

from forensics.cloud.answers import Answer, one_line
from forensics.cloud.errors import AccessError, BrokenOffError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.auth.credentials import Credentials

GOOGLE = "https://logging.googleapis.com"
_LIST = "/v2/entries:list?prettyPrint=false"
_CLOUD_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
"""Of a user's own credentials: they were granted this scope, and asking for another one is refused. Roles restrict."""
_READ_SCOPE = "https://www.googleapis.com/auth/logging.read"
"""Of an impersonated account, whose tokens are made to measure."""
_TIMEOUTS = (10.0, 90.0)
"""Seconds to connect, and for each read of one try."""
_LOGIN = "gcloud auth application-default login"
# my-project-123   example.com:my-project   123456789012
_PROJECT = re.compile(r"[a-z0-9][a-z0-9.:-]{0,99}")


class Access(Struct, frozen=True, kw_only=True):
    """What a user says about the way to Cloud Logging; what is empty is found out."""

    project: str = ""
    impersonate: str = ""
    """A service account, by its address."""
    endpoint: str = ""
    """`http://host:port` for REST, `host:port` for gRPC: a test server or an emulator."""
    is_insecure: bool = False
    """Allows an endpoint on another computer."""


class Endpoint(Struct, frozen=True):
    """A server without credentials and without TLS."""

    address: str
    """`host:port`, an IPv6 host in brackets."""
    is_rest: bool


class Connection:
    """One way to Cloud Logging, as one user, to one project."""

    def __init__(self, session: requests.Session, server: str, project: str) -> None:
        self._session = session
        self._url = server + _LIST
        self.project = project

    def list_entries(self, body: bytes) -> Answer:
        """Post one request for a page of entries; raise BrokenOffError when no whole answer came."""
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "forensics"}
        try:
            # A redirect would carry the credentials to another host.
            response = self._session.post(
                self._url, data=body, headers=headers, timeout=_TIMEOUTS, allow_redirects=False
            )
        except exceptions.RefreshError as error:
            raise _refused_credentials(error) from error
        except exceptions.GoogleAuthError as error:
            raise BrokenOffError(f"no token for Cloud Logging ({_said(error)}): check the network") from error
        except requests.RequestException as error:
            raise BrokenOffError(
                f"no whole answer from {_server(self._url)} ({_said(error)}): check the network"
            ) from error
        return Answer(response.status_code, response.headers, response.content)

    def close(self) -> None:
        """Give the sockets back."""
        self._session.close()


def connect(access: Access, environment: Mapping[str, str]) -> Connection:
    """Find credentials, server and project, without a request to Cloud Logging yet; raise AccessError."""
    named = access.project or environment.get("GOOGLE_CLOUD_PROJECT", "")
    place = access.endpoint or environment.get("LOGGING_EMULATOR_HOST", "")
    if place:
        endpoint = read_endpoint(place, is_insecure=access.is_insecure)
        if not endpoint.is_rest:
            raise AccessError(f"{place!r} means gRPC, and this reader speaks REST: write http://{endpoint.address}")
        session = requests.Session()
        session.trust_env = False  # neither a proxy nor a password of ~/.netrc belongs to a server on this computer
        return Connection(session, f"http://{endpoint.address}", _project(named))
    credentials, of_credentials = _find_credentials()
    project = _project(named or of_credentials)
    if access.impersonate:
        credentials = _impersonated(credentials, access.impersonate)
    return Connection(_authorized(credentials), GOOGLE, project)


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
    """Host and port; None when there is anything else in it, for that could only mislead."""
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


def _find_credentials() -> tuple[Credentials, str]:
    try:
        with warnings.catch_warnings():
            # A user's own login, which it warns of, is the usual one here.
            warnings.simplefilter("ignore", UserWarning)
            credentials, project = google.auth.default(scopes=[_CLOUD_SCOPE])
    except exceptions.DefaultCredentialsError as error:
        raise AccessError(f"no credentials for Google Cloud ({_said(error)}): {_LOGIN}") from error
    except exceptions.GoogleAuthError as error:
        raise AccessError(f"credentials for Google Cloud cannot be used ({_said(error)}): {_LOGIN}") from error
    return credentials, project or ""


def _impersonated(source: Credentials, account: str) -> Credentials:
    if not re.fullmatch(r"[A-Za-z0-9._-]+@[A-Za-z0-9.-]+", account):
        raise AccessError(f"{account!r} is no service account: write NAME@PROJECT.iam.gserviceaccount.com")
    scopes = [_READ_SCOPE]
    return impersonated_credentials.Credentials(source, account, scopes)  # type: ignore[no-untyped-call]  # no types there


def _authorized(credentials: Credentials) -> AuthorizedSession:
    return AuthorizedSession(credentials)  # type: ignore[no-untyped-call]  # no types there


def _refused_credentials(error: exceptions.RefreshError) -> AccessError:
    if error.retryable:
        return BrokenOffError(f"no token for Cloud Logging ({_said(error)}): try again later")
    if "impersonated" in str(error):  # google-auth: Unable to acquire impersonated credentials
        return AccessError(
            f"the service account cannot be impersonated ({_said(error)}): "
            "ask for roles/iam.serviceAccountTokenCreator on it"
        )
    return AccessError(f"the credentials were refused ({_said(error)}): {_LOGIN}")


def _said(error: Exception) -> str:
    # google-auth passes the server's answer on as a second argument, tokens and all: the first is enough.
    return one_line(str(error.args[0]) if error.args else type(error).__name__)


def _server(url: str) -> str:
    return urlsplit(url).netloc
