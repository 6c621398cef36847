"""A report in, documents out: Markdown by templates, JSON and CSV built in."""

from __future__ import annotations

from forensics.render.documents import FORMATS, render_report
from forensics.render.plain import decode_report, encode_report, encode_rows

__all__ = ["FORMATS", "decode_report", "encode_report", "encode_rows", "render_report"]
