"""The parts of a postmortem beside its findings: impact, onset, detection, recovery, lessons, open questions."""

from __future__ import annotations

from forensics.report.postmortem.build import write_postmortem
from forensics.report.postmortem.postmortem_context import PostmortemContext, observe

__all__ = ["PostmortemContext", "observe", "write_postmortem"]
