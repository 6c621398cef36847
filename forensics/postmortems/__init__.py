"""Incidents and everything known about them in, the parts of a postmortem out that no single finding holds."""

from __future__ import annotations

from forensics.postmortems.aftermath import Aftermath, observe
from forensics.postmortems.writing import write_postmortem

__all__ = ["Aftermath", "observe", "write_postmortem"]
