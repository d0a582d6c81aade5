"""DayDreaming: file-driven experiments with language models. The library behind the Snakemake rules and the scripts."""
