"""What the programs say that a run would make, what a run made, and the texts that a run from nothing makes."""

from __future__ import annotations

import contextlib
import csv
import json
import re
import shutil
from pathlib import Path

from plan_fixtures import PlannedStudy

from studies import Run, Study

Key = tuple[str, str]
KEPT = ("up_to_date", "adopted")
# What a run may come to where the plan has one of these states; the others depend on a parent that is made first.
RESULTS = {
    "up_to_date": {"kept"},
    "adopted": {"kept"},
    "copy": {"copied", "kept"},
    "reparse": {"reused"},
    "reuse": {"reused"},
    "call": {"made"},
}
_JOB = re.compile(r"^rule (draft|essay|evaluation|score_table):.*?(?=^\[|\Z)", re.MULTILINE | re.DOTALL)
_OUTPUT = re.compile(r"output: (\S+)")


def dry_run(study: Study, *arguments: str) -> set[str]:
    """The outputs that `snakemake -n` says would be made: texts of generations, and the table of scores."""
    output = study.run("-n", *arguments).output
    return {_OUTPUT.search(job.group(0)).group(1).rstrip(",") for job in _JOB.finditer(output)}


def dry_run_generations(study: Study) -> set[Key]:
    """The generations that `snakemake -n` says would be made."""
    parts = (Path(output).parts for output in dry_run(study) if output.endswith("parsed.txt"))
    return {(stage, gen_id) for *_, stage, gen_id, _ in parts}


def plan(study: Study) -> dict[Key, str]:
    """The state that `scripts/plan.py` gives to each generation."""
    values = json.loads(study.script("plan.py", "--json", "--why").output)
    return {(one["stage"], one["gen_id"]): one["state"] for one in values["why"]}


def agreeing_run(study: Study) -> Run:
    """Run the workflow to its end; AssertionError if plan, dry run and run do not agree on what was to be done."""
    planned, listed, written = plan(study), dry_run_generations(study), len(study.events())
    run = study.run("-j8")
    results = {
        (event["stage"], event["gen_id"]): event["result"]
        for event in study.events()[written:]
        if event["event"] == "generation"
    }
    assert listed == set(results)
    assert {key for key, state in planned.items() if state not in KEPT} <= listed
    for key in listed:
        state = planned[key]
        assert results[key] in RESULTS.get(state, {"made", "reused", "kept"}), f"{key}: {state}, then {results[key]}"
    states = list(planned.values())
    assert states.count("call") <= len(run.calls) <= states.count("call") + states.count("unknown")
    return run


def texts_from_nothing(study: Study, folder: Path) -> dict[str, str]:
    """The texts that a run makes of the inputs of a study alone: no generation, no reply, no memory of a run."""
    left_out = shutil.ignore_patterns(".snakemake", "gens", "replies", "reports", "journal.jsonl")
    shutil.copytree(study.folder, folder, ignore=left_out)
    fresh = Study(folder, study.provider)
    with contextlib.chdir(folder):
        PlannedStudy(fresh).run()
    return fresh.parsed_texts()


def gathered(study: Study) -> tuple[Run, dict[str, dict[str, str]]]:
    """What aggregate_scores.py says, and the rows of its table by evaluation."""
    run = study.script("aggregate_scores.py", "--output", "scores.csv")
    with (study.folder / "scores.csv").open(encoding="utf-8", newline="") as stream:
        return run, {row["gen_id"]: row for row in csv.DictReader(stream)}
