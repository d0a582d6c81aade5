"""One generation, from its row to its files: specification, prompt, work, store, and what is current.

Public: `study.load_study`, `runner.Runner`.
"""
