"""The names of the tables of an analysis: what Snakemake reads before anything is analysed."""

from __future__ import annotations

TABLES = ("contrasts", "levels", "ranking", "components", "design", "judges", "agreement", "interactions")
