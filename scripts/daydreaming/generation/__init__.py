"""One generation, from its row to its files: specification, prompt, work, store, and whether it is current.

Public: `study.load_study`, `inspection.inspect_cohort`, `adoption.adopt`, `runner.Runner`.
"""
