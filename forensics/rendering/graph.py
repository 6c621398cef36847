"""Draw the steps of a finding as a Mermaid graph; labels are whitelisted text in quotes, nodes are numbered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.rendering.escape import mermaid
from forensics.text.timestamps import format_lag

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forensics.model import Cluster, ClusterId, Finding, Step


def graph(finding: Finding, clusters: Mapping[ClusterId, Cluster]) -> str:
    """Draw cause → symptom, each arrow with its share and lag; "" where nothing is linked."""
    if not finding.steps:
        return ""
    ids = dict.fromkeys(end for step in finding.steps for end in (step.cause, step.symptom))
    names = {cluster: f"n{number}" for number, cluster in enumerate(ids, 1)}
    nodes = [f'    {name}["{_node(clusters[cluster])}"]' for cluster, name in names.items()]
    arrows = [f'    {names[step.cause]} -- "{_arrow(step)}" --> {names[step.symptom]}' for step in finding.steps]
    return "\n".join(["flowchart TD", *nodes, *arrows])


def _node(cluster: Cluster) -> str:
    return mermaid(f"{cluster.role}: {cluster.title}")


def _arrow(step: Step) -> str:
    lag = f", {format_lag(step.lag)}" if step.lag else ""
    return mermaid(f"{step.explained} of {step.of}{lag}")


FILTERS = {"graph": graph}
