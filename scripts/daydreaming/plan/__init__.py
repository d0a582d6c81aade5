"""What a run would do, why, and what it may cost.

Public: `report.plan_report`, `planning.make_plan`.
"""
