"""What was read, what is missing, and what can be concluded from it."""
