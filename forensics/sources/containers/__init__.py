"""Unpack files: gzip, zstd, zip and tar archives, and text encodings."""
