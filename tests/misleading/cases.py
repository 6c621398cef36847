"""What a misleading case is: how its log is made, and what is true about it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from incidents.scenario import Record
    from misleading.stage import Stage

    Arrange = Callable[[list[Record]], list[Record]]

Pair = tuple[str, str]
"""Cause and effect, by their parts."""


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What may be said of a log, by the parts of its entries."""

    cause: tuple[str, ...] = ()
    """What an expert names first, any of these; empty: the cause is not in the log."""
    effects: tuple[str, ...] = ("failure",)
    """What was suffered. It may lead the report too: that says of no cause that it is one."""
    true: tuple[Pair, ...] = ()
    """The links that may be called supported."""
    found: tuple[Pair, ...] = ()
    """The links, true ones, that a good tool calls supported."""
    never: tuple[str, ...] = ()
    """What may not lead the report, whatever is said of it: it harms nobody."""
    most: dict[Pair, int] = field(default_factory=dict)
    """How many occurrences of an effect a cause explains at most."""
    words: tuple[str, ...] = ()
    """Patterns of sentences that no document may hold, since they are untrue here."""
    refutes: bool = True
    """Whether anything may be called refuted; not where the export lacks what would have shown it."""
    once: str | None = None
    """A part that leads one incident, and no more than one."""

    def holds(self, pair: Pair) -> bool:
        """Say whether a link is true; entries of one part belong to one thing."""
        return pair[0] == pair[1] or pair in self.true or pair in self.found

    def causes(self, part: str) -> bool:
        """Say whether a part truly led to something that was suffered."""
        return any(pair in self.true or pair in self.found for pair in ((part, effect) for effect in self.effects))


@dataclass(frozen=True)
class Case:
    """A log that misleads."""

    name: str
    kind: str
    make: Callable[[Stage], Truth]
    revision: str = ""
    """What is asked for; empty: the revision that plays."""
    arrange: Arrange | None = None
    """How the export differs from all records, newest first."""

    @property
    def story(self) -> str:
        """What happens, in a sentence."""
        return " ".join((self.make.__doc__ or "").split())


CASES: dict[str, Case] = {}


def case(
    kind: str, *, revision: str = "", arrange: Arrange | None = None
) -> Callable[[Callable[[Stage], Truth]], Callable[[Stage], Truth]]:
    """Enter a function into the list of cases, under its name."""

    def enter(make: Callable[[Stage], Truth]) -> Callable[[Stage], Truth]:
        name = make.__name__.replace("_", "-")
        assert name not in CASES, name
        CASES[name] = Case(name, kind, make, revision, arrange)
        return make

    return enter


CAUSES = ("cause", "failure")
"""The plain link of most cases."""


def explained(*more: Pair, **truth: Any) -> Truth:
    """Expect that the cause leads and that its link to the failure is supported."""
    return replace(Truth(cause=("cause",), found=(CAUSES,), true=more), **truth)


def unexplained(*effects: str, **truth: Any) -> Truth:
    """Expect that no link is supported: the log does not hold the cause."""
    return replace(Truth(effects=effects or ("failure",)), **truth)
