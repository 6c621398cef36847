"""Screens for terminals and pipes: report, gate, cycles, watch, progress."""
