"""Makes the samples: seeded scenarios in, folders of log entries, truths and test results out."""
