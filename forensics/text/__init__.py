"""Small tools for texts of a log: times, digits, redaction, word search, lazily compiled patterns."""
