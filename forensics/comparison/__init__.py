"""Compare a revision with its baselines, signature by signature: numbers decide which word may be used.

`comparables` takes the comparable part of a report, `filters` sees what was left out of it, `denominators` chooses the
exposure, and `failures` puts failures in its order. `assessment` tests a difference: `episodes` joins what came
together, `permutation`, `uneven_instances` and `dispersion` calculate, `several_baselines` asks how much revisions
differ by themselves. `incident_families` corrects for many signatures, `states` turns numbers into words,
`required_exposure` says how much traffic without a failure would prove it gone, `exact` and `test_changes` compare
results of tests, and `gating` decides whether to deploy. docs/verdicts.md has the method and its measured rates.
"""

from __future__ import annotations

from forensics.comparison.comparables import Side, side_of
from forensics.comparison.comparing import compare
from forensics.comparison.denominators import measure_of
from forensics.comparison.previous_revision import previous_revisions
from forensics.comparison.required_exposure import needed_without

__all__ = ["Side", "compare", "measure_of", "needed_without", "previous_revisions", "side_of"]
