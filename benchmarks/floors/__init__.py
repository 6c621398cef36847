"""A generated log in; the least that reading it takes, and what that leaves of a time that is aimed at, out.

`bare` holds the loops, `programs` the commands, `aims` what is aimed at and whether it can be had.
"""
