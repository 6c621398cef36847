"""Compare two reports, signature by signature: the numbers decide which word for a change may be used.

`comparables` takes the comparable part of a report, `denominators` chooses the exposure for a number of occurrences,
`exact` has the tests and intervals, `states` turns numbers into words, `required_exposure` says how much traffic
without a failure would prove it gone, `test_changes` compares results of tests, and `gating` decides whether to deploy.
"""

from __future__ import annotations

from forensics.comparison.comparables import Side, side_of
from forensics.comparison.comparing import compare
from forensics.comparison.previous_revision import previous_revision
from forensics.comparison.required_exposure import needed_without

__all__ = ["Side", "compare", "needed_without", "previous_revision", "side_of"]
