"""Two reports in, what changed between them out: words follow numbers.

`exact` holds the tests and intervals, `exposure` chooses what a number of occurrences is held against, `judging` finds
the word for the numbers, `required` says how much traffic without a failure would decide, `sides` tells what cannot be
compared, and `testing` does the same for results of tests.
"""

from __future__ import annotations

from forensics.comparison.comparables import Side, side_of
from forensics.comparison.comparing import compare
from forensics.comparison.previous_revision import previous_revision
from forensics.comparison.required_exposure import needed_without

__all__ = ["Side", "compare", "needed_without", "previous_revision", "side_of"]
