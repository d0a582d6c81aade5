"""Which generations belong to an experiment: designs, membership and its integrity, slices of it."""
