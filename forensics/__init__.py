"""Find out from Cloud Run logs why a revision fails, and write it down so that every sentence can be checked."""

from __future__ import annotations

__version__ = "0.2.0"

__all__ = ["__version__"]
