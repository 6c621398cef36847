"""Decoded entries and rules in, every entry with the rules that claim it out."""

from __future__ import annotations

from forensics.classify.classifier import Classifier, classify

__all__ = ["Classifier", "classify"]
