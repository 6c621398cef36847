"""What a repository shows about a failure: the place in a file, a module's fate, a name, a syntax.

Each module takes the commit that was deployed and a name from the entries, and returns a verdict with its evidence.
"""
