"""P-values of signatures, corrected over incidents: a cause and its own 5xx are one question, not two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.comparison.exact import holm

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forensics.comparison.comparables import Side
    from forensics.model import Cluster

Key = tuple[str | None, str | None]
"""(signature, None) or (None, fingerprint)."""


def correct(p_values: Mapping[Key, float], befores: Sequence[Side], after: Side) -> dict[Key, float]:
    """Correct by Holm over incidents, for each of which its root speaks; what is no root takes its root's place."""
    roots = _roots((after, *befores))
    leaders = {key: roots[key] if roots.get(key) in p_values else key for key in p_values}
    family = {key: p_value for key, p_value in p_values.items() if leaders[key] == key}
    corrected = dict(zip(family, holm(list(family.values())), strict=True))
    for key in p_values.keys() - family.keys():
        others = {leader: p for leader, p in family.items() if leader != leaders[key]}
        corrected[key] = holm([p_values[key], *others.values()])[0]
    return corrected


def _roots(sides: Sequence[Side]) -> dict[Key, Key]:
    """Find of each signature the root of its incident, on the first side that shows it; none where it has several."""
    found: dict[Key, Key] = {}
    for side in sides:
        keys = {cluster.id: _key(cluster) for cluster in side.clusters}
        own: dict[Key, set[Key]] = {}
        for cluster in side.clusters:
            root = side.roots.get(cluster.id, cluster.id)
            own.setdefault(_key(cluster), set()).add(keys.get(root, _key(cluster)))
        for key, roots in own.items():
            # Where the signatures of a ring explain each other each stands for itself.
            found.setdefault(key, next(iter(roots)) if len(roots) == 1 else key)
    return {key: root if found.get(root) == root else key for key, root in found.items()}


def _key(cluster: Cluster) -> Key:
    return cluster.signature, None if cluster.signature else cluster.fingerprint
