"""A study in one file: packed as a Workflow Run RO-Crate, opened with distrust, and held against what is made of it.

Public: `packing.write_bundle`, `opening.open_bundle`, `comparison.compare_study`. The format is in docs/bundles.md.
"""
