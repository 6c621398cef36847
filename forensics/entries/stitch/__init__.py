"""Stitch messages that Cloud Run split at line breaks."""
