"""Compare programs by the time and memory that they need for one question, and by whether their answer is true.

`contestants` has the programs and their commands, `measure` runs one, `verdicts` compares answers with the truth,
`table` prints, `profiles` profiles one run of forensics.
"""
