"""The index of all entries that were read, and the selection of a revision's rows."""
