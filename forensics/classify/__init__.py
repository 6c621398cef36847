"""Find the rules that match each log entry, and which of them is the primary one."""

from __future__ import annotations

from forensics.classify.classifier import Classifier, classify
from forensics.classify.conditions import leaves
from forensics.classify.explanation import Explainer, Explanation
from forensics.classify.request_prefilter import RequestPrefilter, is_screened

__all__ = ["Classifier", "Explainer", "Explanation", "RequestPrefilter", "classify", "is_screened", "leaves"]
