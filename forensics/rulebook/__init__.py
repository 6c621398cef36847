"""Load rules from folders of YAML files, and check them."""

from __future__ import annotations

from forensics.rulebook.load import load_rules, rule_text

__all__ = ["load_rules", "rule_text"]
