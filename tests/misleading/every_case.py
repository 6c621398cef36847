"""All cases, entered by importing the modules that hold them."""

from __future__ import annotations

from misleading import clocks, confounded, echoes, exports, lives, mixed, outages, plain, rates, revisions
from misleading.cases import CASES

MODULES = (clocks, confounded, echoes, exports, lives, mixed, outages, plain, rates, revisions)
__all__ = ["CASES", "MODULES"]
