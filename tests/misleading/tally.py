"""Figures over many scores, and the table of what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from misleading.scoring import Score


@dataclass(frozen=True)
class Tally:
    """What reports on misleading logs got right, as shares."""

    scores: Sequence[Score]

    @property
    def claims(self) -> int:
        """Pairs that are called supported."""
        return sum(len(score.claims) for score in self.scores)

    @property
    def precision(self) -> float:
        """The share of claims that are true."""
        return 1 - _share(sum(len(score.untrue) for score in self.scores), self.claims)

    @property
    def false_headlines(self) -> list[str]:
        """The draws whose first incident is not what happened."""
        return [f"{score.case.name}-{score.seed}" for score in self.scores if score.misleads]

    @property
    def first(self) -> float:
        """The share of draws with a logged cause in which it leads."""
        judged = [score.is_first for score in self.scores if score.is_first is not None]
        return _share(sum(judged), len(judged), empty=1)

    @property
    def recall(self) -> float:
        """The share of true links that are called supported, of those that a good tool finds."""
        asked = sum(len(score.truth.found) for score in self.scores)
        return 1 - _share(sum(len(score.missed) for score in self.scores), asked)

    @property
    def faults(self) -> int:
        """Untrue words, counts and refutations."""
        return sum(len(score.faults) for score in self.scores)

    def figures(self) -> str:
        """Write all figures in a line."""
        return (
            f"{len(self.scores)} logs: precision {self.precision:.3f} of {self.claims} claims, "
            f"{len(self.false_headlines)} false headlines, true cause first {self.first:.3f}, "
            f"recall {self.recall:.3f}, "
            f"{self.faults} untrue words"
        )

    def table(self) -> str:
        """Write what is wrong: kind, case, what was expected, what was found; equal rows of several seeds once."""
        rows: dict[tuple[str, str, str, str], list[int]] = {}
        for score in self.scores:
            for expected, found in score.complaints():
                rows.setdefault((score.case.kind, score.case.name, expected, found), []).append(score.seed)
        return "\n".join(
            " | ".join((*row, "seeds " + ",".join(str(seed) for seed in dict.fromkeys(seeds))))
            for row, seeds in sorted(rows.items())
        )


def _share(part: float, whole: float, *, empty: float = 0) -> float:
    return part / whole if whole else empty
