"""The names of the tables of preferences: what Snakemake reads before anything is analysed."""

from __future__ import annotations

TABLES = ("win_rates", "strengths", "differences", "essays", "consistency", "longer", "own_model", "agreement")
