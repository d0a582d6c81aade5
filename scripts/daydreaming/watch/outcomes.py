"""The outcomes of a generation, as the journal names them, that are neither work done nor a failure."""

CONFIRMED = "kept"  # asked for and found up to date
WAITING = "waiting"  # no run of ours made it, and it is not of what is asked now
HELD_BACK = "not_tried"  # not asked for, because the same error had come too often
