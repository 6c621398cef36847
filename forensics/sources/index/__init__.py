"""Index large NDJSON and arrays, and fetch single records again."""
