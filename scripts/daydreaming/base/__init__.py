"""What every room stands on: faults and failures in words, where files lie, writes that cannot be torn, locks.

Public: `errors.InputError`, `errors.GenerationError`, `paths.DataPaths`, `atomic.write_text`, `locks.RangeLocks`.
"""
