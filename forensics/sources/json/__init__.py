"""Read JSON that is too large for memory, or broken in places."""
