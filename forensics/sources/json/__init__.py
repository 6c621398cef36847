"""Read JSON values that are too large to be held, or not quite JSON."""
