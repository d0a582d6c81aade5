"""The names of the cases, as the tables show them; neighbours are named by `side_by_side.NEIGHBOURS`."""

from __future__ import annotations

from enum import StrEnum


class Case(StrEnum):
    """What the workflow is asked to do."""

    CHAINS = "1,000 chains, 1 s, 64 in flight"
    BURST = "1,000 chains, 2 s, 256 in flight"
    THOUSAND = "1,000 chains, 0.2 s, 64 in flight"
    TEN_THOUSAND = "10,000 chains, 0.2 s, 64 in flight"
    NOTHING_TO_DO = "10,000 chains, nothing to do, -j8"
    DRY_RUN = "10,000 chains, nothing to do, -n"
    EDITED = "10,000 chains, a template of 1% edited"
    COPIES = "5,000 copied essays"
    START = "demo cohort, nothing to do"
    HELP = "run_stage.py --help"
    DRAFTS = "DayDreaming, drafts only"
    PROCESSES = "a process per call, 20 chains, 8 in flight"
