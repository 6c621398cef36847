"""Rule files: folders of YAML in, checked rules out."""

from __future__ import annotations

from forensics.rulebook.load import load_rules, rule_text

__all__ = ["load_rules", "rule_text"]
