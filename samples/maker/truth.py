"""Count what a reader of a sample's logs must find (`truth.json`), while the entries are made."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any


class Truth:
    """Counts entries and occurrences by revision and signature, and the symptoms that each cause brought about."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str, str], int] = defaultdict(int)
        self._occurrences: dict[tuple[str, str, str], set[str]] = defaultdict(set)
        self._symptoms: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))

    def saw(self, revision: str, signature: str, occurrence: str, *, entries: int = 1, group: str = "") -> None:
        """Count entries of one occurrence; `group` is the value that splits a signature into clusters."""
        self._entries[revision, signature, group] += entries
        self._occurrences[revision, signature, group].add(occurrence)

    def linked(self, revision: str, cause: str, symptom: str, occurrence: str) -> None:
        """Count an occurrence of a symptom that a cause brought about."""
        self._symptoms[revision, cause][symptom].add(occurrence)

    def count(self, revision: str, signature: str) -> dict[str, int]:
        """Return entries and occurrences of a signature, all groups together."""
        keys = [key for key in self._entries if key[:2] == (revision, signature)]
        occurrences = {(group, name) for *_, group in keys for name in self._occurrences[revision, signature, group]}
        return {"entries": sum(self._entries[key] for key in keys), "occurrences": len(occurrences)}

    def to_json(self) -> str:
        """Return everything as JSON, ordered by revision and signature."""
        revisions: dict[str, Any] = {}
        for revision, signature in sorted({key[:2] for key in self._entries}):
            truth: dict[str, Any] = dict(self.count(revision, signature))
            groups = self._groups(revision, signature)
            truth |= {"groups": groups} if groups else {}
            symptoms = self._symptoms.get((revision, signature))
            truth |= {"symptoms": {name: len(found) for name, found in sorted(symptoms.items())}} if symptoms else {}
            revisions.setdefault(revision, {})[signature] = truth
        return json.dumps({"revisions": revisions}, indent=2) + "\n"

    def _groups(self, revision: str, signature: str) -> dict[str, dict[str, int]]:
        keys = sorted(key for key in self._entries if key[:2] == (revision, signature) and key[2])
        return {key[2]: {"entries": self._entries[key], "occurrences": len(self._occurrences[key])} for key in keys}
