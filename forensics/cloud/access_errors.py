"""What can go wrong between this program and Cloud Logging.

ForensicsError
└── AccessError           Cloud Logging could not be asked, or refused for good
    └── BrokenOffError    no whole answer came; worth another try
"""

from __future__ import annotations

from forensics.errors import ForensicsError


class AccessError(ForensicsError):
    """Cloud Logging could not be asked, or refused for good; the message ends with the next step."""


class BrokenOffError(AccessError):
    """A connection failed or broke in the middle of an answer; the same request may be sent again."""

    def __init__(self, message: str, *, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait
        """Seconds after which the server wants to be asked again, if it said so."""
