"""The errors of reading from Cloud Logging.

ForensicsError
└── AccessError           Cloud Logging is unreachable, or refused for good
    └── BrokenOffError    no complete response arrived; worth another try
"""

from __future__ import annotations

from forensics.errors import ForensicsError


class AccessError(ForensicsError):
    """Cloud Logging is unreachable, or refused for good; the message ends with the next step."""


class BrokenOffError(AccessError):
    """A connection failed or broke in the middle of an answer; the same request may be sent again."""

    def __init__(self, message: str, *, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait
        """Seconds after which the server asks for another try; None if it names no time."""
