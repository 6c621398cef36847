"""Index large NDJSON and arrays, and read single records again."""
