"""The entries of a revision as a table, and what can be asked of one entry: fields, root exception, citation."""
