"""Find Google Cloud credentials, and explain in one line what is wrong with them."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING

import google.auth
from google.auth import exceptions, impersonated_credentials

from forensics.cloud.access_errors import AccessError, BrokenOffError
from forensics.cloud.network_errors import error_text, in_words

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

_CLOUD_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
"""Scope for a user's own credentials: they were granted this one, and a narrower request is refused."""
_READ_SCOPE = "https://www.googleapis.com/auth/logging.read"
"""Scope for an impersonated account, whose tokens can be limited to reading."""
_LOGIN = "gcloud auth application-default login"


def find_credentials() -> tuple[Credentials, str]:
    """Find the Application Default Credentials and their project (empty when they have none); raise AccessError."""
    try:
        with warnings.catch_warnings():
            # A user's own login, which it warns of, is the usual one here.
            warnings.simplefilter("ignore", UserWarning)
            credentials, project = google.auth.default(scopes=[_CLOUD_SCOPE])
    except exceptions.DefaultCredentialsError as error:
        raise AccessError(f"no credentials for Google Cloud ({error_text(error)}): {_LOGIN}") from error
    except exceptions.GoogleAuthError as error:
        raise AccessError(f"credentials for Google Cloud cannot be used ({error_text(error)}): {_LOGIN}") from error
    return credentials, project or ""


def impersonated(source: Credentials, account: str) -> Credentials:
    """Return credentials that impersonate a service account; raise AccessError for a malformed address."""
    if not re.fullmatch(r"[A-Za-z0-9._-]+@[A-Za-z0-9.-]+", account):
        raise AccessError(f"{account!r} is no service account: write NAME@PROJECT.iam.gserviceaccount.com")
    scopes = [_READ_SCOPE]
    return impersonated_credentials.Credentials(source, account, scopes)  # type: ignore[no-untyped-call]  # no types there


def no_token(error: exceptions.GoogleAuthError) -> AccessError:
    """Explain why the credentials gave no token; a BrokenOffError when they may give one later."""
    if not isinstance(error, exceptions.RefreshError):
        return BrokenOffError(f"no token for Cloud Logging ({in_words(error)}): check the network")
    if error.retryable:
        return BrokenOffError(f"no token for Cloud Logging ({error_text(error)}): try again later")
    if "impersonated" in str(error):  # google-auth: Unable to acquire impersonated credentials
        return AccessError(
            f"the service account cannot be impersonated ({error_text(error)}): "
            "ask for roles/iam.serviceAccountTokenCreator on it"
        )
    return AccessError(f"the credentials were refused ({error_text(error)}): {_LOGIN}")
