"""What nothing here needs any more, moved aside and back: nothing is deleted, and an archived reply is still found.

Public: `purge_plan.plan_purge`, `moves.move_to_archive`, `moves.restore`.
"""
