"""A generated log in; what each contestant needed for the same question, and whether its answer is the truth, out.

`contestants` names the programs and how they are asked, `measure` runs one, `verdicts` holds answers against the truth,
`table` prints, `profiles` looks inside one run of forensics.
"""
