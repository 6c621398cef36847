"""Join the pieces of one message, which Cloud Run splits at line breaks."""
