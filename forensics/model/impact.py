"""What failures mean for people, as a project's settings say it: never computed from counts."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct


class Capability(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a service is good for, and what takes it away; written by hand in the settings."""

    value: Annotated[str, Meta(min_length=1)]
    """In the words of whoever answers for it: `120K MRR`."""
    when: Annotated[tuple[str, ...], Meta(min_length=1)]
    """Globs: of signatures, `service:…` of services with any failure, `tests:…` of test modules."""
    assumption: Annotated[str, Meta(min_length=1)]
    """What the value rests on."""


class CapabilityState(StrEnum):
    """What entries and tests say about a capability; the worst news first."""

    AT_RISK = "at risk"
    NOT_ENOUGH_TRAFFIC = "not enough traffic to say"
    NO_LONGER_SEEN = "no longer seen"
    """What took it away is gone, by the comparison's own measure."""
    NOT_SEEN = "not seen"
    """Nothing that takes it away, now or in what this was compared with."""


class CapabilityImpact(Struct, frozen=True, kw_only=True):
    """One capability, and how it stands."""

    name: str
    value: str
    assumption: str
    state: CapabilityState
    reasons: tuple[str, ...]
    """Signatures and test modules with their numbers."""


class Impact(Struct, frozen=True, kw_only=True):
    """All capabilities that the settings name, in their order."""

    capabilities: tuple[CapabilityImpact, ...]
