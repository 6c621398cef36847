"""The least time that reading a generated log takes, and what that leaves of a target time.

`bare`, `judged` and `loops` have the loops, `aims` the target times and whether they can be reached.
"""
