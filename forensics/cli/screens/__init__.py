"""What a verb shows on a terminal or in a pipe: the report, a gate, cycles, a watch, progress."""
