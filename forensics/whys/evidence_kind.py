"""The declaration of one kind of evidence: everything that the rest of the program asks of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct

from forensics.model import Condition, WhyRule
from forensics.schema.diagnostics import Diagnostics, Location
from forensics.whys.contexts import ClusterContext, EvidenceResult

if TYPE_CHECKING:
    from forensics.schema.checked_values import Reader


class Argument(NamedTuple):
    """The argument of a kind, as a rule file gives it, checked."""

    value: Any
    condition: Condition | None = None
    """The condition on other entries in it, if it has one."""


def no_argument(value: Any, location: Location, diagnostics: Diagnostics) -> Argument | None:
    """Read the argument `{}` of a kind that takes none."""
    if value == {}:
        return Argument(value)
    diagnostics.add(location, f"{location[-1]!r} takes no argument: write '{location[-1]}: {{}}'")
    return None


def argument(read: Reader) -> Callable[[Any, Location, Diagnostics], Argument | None]:
    """Make the reader of an argument from the reader of a plain value."""

    def read_argument(value: Any, location: Location, diagnostics: Diagnostics) -> Argument | None:
        found = read(value, location, diagnostics)
        return None if found is None else Argument(found)

    return read_argument


def always(why: WhyRule) -> bool:
    """Return True: something holds of every why of a kind."""
    del why
    return True


def never(why: WhyRule) -> bool:
    """Return False: something holds of no why of a kind."""
    del why
    return False


def _nothing(value: Any) -> tuple[()]:
    del value
    return ()


def _nowhere(why: WhyRule, context: ClusterContext) -> tuple[str, ...]:
    del why, context
    return ()


def _perhaps(why: WhyRule, context: ClusterContext) -> bool:
    del why, context
    return True


def _unchanged(answer: str) -> str:
    return answer


class EvidenceKind(Struct, frozen=True, kw_only=True):
    """One kind of evidence: how a rule asks for it, how it is gathered, and how documents show it.

    Each module of `whys/evidence/` declares one as `KIND`, and no other module decides anything by its name.
    """

    name: str
    """The word in rule files and in report.json; also the name of the module."""

    # How a rule file asks for it.
    read_argument: Callable[[Any, Location, Diagnostics], Argument | None] = no_argument
    """Check the argument in a rule file: value, location, diagnostics -> the argument, or None after a fault."""
    names_in: Callable[[Any], Iterable[tuple[Location, str]]] = _nothing
    """The captures and fields that an argument names, each with its location in the argument."""
    signatures_in: Callable[[Any], Sequence[str]] = _nothing
    """The signatures that an argument names; each must be a rule."""
    kept_values: Callable[[Any], Sequence[str]] = _nothing
    """The captures and fields whose values are kept of each entry of a cluster, for `gather` to count."""

    # How it answers a why.
    provides: tuple[str, ...] = ()
    """Names that its answers see besides those of every template: keys of the values that `gather` returns."""
    gather: Callable[[WhyRule, ClusterContext], EvidenceResult]
    """Look for the evidence of a why in one cluster, and give the verdict."""
    names_a_thing: Callable[[WhyRule], bool] = never
    """Whether an answer names a thing or a place, and so may be the root of a cluster."""
    is_own_fact: Callable[[WhyRule], bool] = never
    """Whether a supported answer is a fact of the cluster's own entries; if not, it is an inference."""
    looks_outside: bool = False
    """It looks for other failures: a chain may begin behind it where it finds none."""
    adds_its_step: bool = False
    """While a why is open, its own next step follows the rule's advice; else only where its source is missing."""
    mend_answer: Callable[[str], str] = _unchanged
    """The last touch on a filled answer."""

    # When its absence may be told.
    looks_in: Callable[[WhyRule, ClusterContext], Sequence[str]] = _nowhere
    """The logs that would hold what a why looks for; none where no log would."""
    is_near: Callable[[WhyRule, ClusterContext], bool] = _perhaps
    """Whether something of the kind is in the entries all the same, so that a denial would be untrue."""

    # How documents and the screen show it.
    in_table: bool = True
    """Its citations stand in a table below the sentence; if not, in one line behind it."""
    is_factor: bool = True
    """An answer behind the root of an incident is a contributing factor in the postmortem."""
    is_safeguard: bool = False
    """It went well when evidence of this kind noticed a failure: a test, a check of a deployment."""
    is_caveat: bool = False
    """Counts of what went badly are repeated on the screen: a reader must know them before trusting it."""
    is_comparison: bool = False
    """It compares one revision with another: `all` revisions have none to compare, and once is enough."""
    flag: str | None = None
    """The option of `forensics analyze` that gives its source, with an example of a value."""
    log_filter: str | None = None
    """The filter of Cloud Logging that finds its source, where that is a log."""

    @property
    def denies(self) -> bool:
        """Whether a rule may say that what was looked for is not there."""
        return self.looks_in is not _nowhere
