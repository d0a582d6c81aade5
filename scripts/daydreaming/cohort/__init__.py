"""Which generations belong to an experiment: designs, membership and its integrity, slices of it.

Public: `writer.build_cohort`, `membership.load_membership`, `slices.plan_slices`.
"""
