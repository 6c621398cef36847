"""Make the samples: logs, test results and truths of seeded scenarios."""
