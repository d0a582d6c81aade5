"""What a run shows: progress, failures as they come, a summary at its end.

Public: `progress.Progress`, `run_summary.summarize_run`, `run_summary.summary_text`.
"""
