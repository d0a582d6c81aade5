"""What a run shows: progress, failures as they come, a summary at its end.

`run_events.run_started`, `generation_failed` and `run_ended` say it through Snakemake's logger; `run_end.end_run` makes
the text of the end. `slurm` is what a run on a cluster asks Slurm. The logger plugin shows it all.
"""
