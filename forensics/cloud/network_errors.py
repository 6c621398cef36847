"""Say in words why a connection failed; the libraries' own texts are long and name classes."""

from __future__ import annotations

from forensics.cloud.refusals import one_line

_SIGNS = (
    ("ProxyError", "the proxy that HTTPS_PROXY names does not let it through: {text}"),
    ("NameResolutionError", "no name server knows that name: {text}"),
    ("getaddrinfo", "no name server knows that name: {text}"),
    ("Name or service not known", "no name server knows that name: {text}"),
    ("Temporary failure in name resolution", "no name server answers: {text}"),
    ("Connection refused", "connection refused: nothing listens there"),
    ("No route to host", "no route to that host"),
    ("Network is unreachable", "the network is unreachable"),
    ("ConnectTimeout", "no connection in time"),
    ("timed out", "no answer in time"),
    ("CERTIFICATE_VERIFY_FAILED", "its certificate is not trusted: {text}"),
)
"""Words in the name or text of an error, and what they mean; the first that fits counts."""


def in_words(error: Exception) -> str:
    """Return why a connection failed: in plain words where the reason is known, else in those of the library."""
    text = getattr(error, "strerror", None) or error_text(error)
    whole = f"{type(error).__name__} {error.args!r}"
    return next((meaning.format(text=text) for sign, meaning in _SIGNS if sign in whole), text)


def error_text(error: Exception) -> str:
    """Return an error's message on one line."""
    # google-auth passes the server's answer on as a second argument, tokens and all: the first is enough.
    return one_line(str(error.args[0]) if error.args else type(error).__name__)
