"""Readers of the values of a rule file, which note each fault with its place.

`rulebook/` reads whole files with them, and each kind of evidence in `whys/evidence/` reads its own argument.
"""
