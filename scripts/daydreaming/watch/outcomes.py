"""The outcomes of a generation, as the journal names them, that are neither work done nor a failure."""

CONFIRMED = "kept"  # asked for and found up to date
HELD_BACK = "not_tried"  # not asked for, because the same error had come too often
