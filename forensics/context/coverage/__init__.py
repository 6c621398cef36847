"""What was read and what is missing, and what can therefore be told."""
