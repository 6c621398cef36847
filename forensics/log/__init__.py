"""The entries of a revision as a table, and what can be read from one entry: fields, root exception, citation."""
