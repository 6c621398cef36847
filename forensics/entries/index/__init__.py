"""An index of what was read, and the choice of a revision and its rows from it."""
