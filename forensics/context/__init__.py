"""Context of the failures: coverage, deployments, commits, exposure and results of tests."""
