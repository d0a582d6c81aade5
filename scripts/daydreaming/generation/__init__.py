"""One generation, from its row to its files: specification, prompt, work, store, and whether it is current.

`load_study` reads what belongs to a cohort, `inspect_cohort` says which of its generations are current and why, `adopt`
takes in those that no run of ours made, and `Runner` makes the others.
"""
