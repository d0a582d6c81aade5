"""What a run shows: progress, failures as they come, a summary at its end."""
