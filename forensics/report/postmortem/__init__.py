"""Incidents and everything known about them in, the parts of a postmortem out that no single finding holds."""

from __future__ import annotations

from forensics.report.postmortem.build import write_postmortem
from forensics.report.postmortem.postmortem_context import PostmortemContext, observe

__all__ = ["PostmortemContext", "observe", "write_postmortem"]
