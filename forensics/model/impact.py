"""The impact of failures in the words of a project's settings; never computed from counts."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct


class Capability(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A capability of a service and the failures that impair it; written by hand in the settings."""

    value: Annotated[str, Meta(min_length=1)]
    """The capability's value in its owner's words: `120K MRR`."""
    when: Annotated[tuple[str, ...], Meta(min_length=1)]
    """Globs of failures that impair it: signatures, `service:…` (any failure of a service), `tests:…` (modules)."""
    assumption: Annotated[str, Meta(min_length=1)]
    """The assumption behind the value."""


class CapabilityState(StrEnum):
    """The state of a capability according to entries and tests; the worst first."""

    AT_RISK = "at risk"
    NOT_ENOUGH_TRAFFIC = "not enough traffic to say"
    NO_LONGER_SEEN = "no longer seen"
    """The failure that impaired it is gone, according to the comparison."""
    NOT_SEEN = "not seen"
    """No failure that impairs it, neither now nor in the baseline."""


class CapabilityImpact(Struct, frozen=True, kw_only=True):
    """One capability and its state."""

    name: str
    value: str
    assumption: str
    state: CapabilityState
    reasons: tuple[str, ...]
    """The signatures and test modules behind the state, with their numbers."""


class Impact(Struct, frozen=True, kw_only=True):
    """The states of all capabilities, in the order of the settings."""

    capabilities: tuple[CapabilityImpact, ...]
