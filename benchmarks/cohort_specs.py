"""Measure how long specs of 300,000 rows take to become a membership, and how much memory: one process for each."""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from itertools import combinations, product
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
CONCEPTS = [f"concept-{number:02}" for number in range(25)]  # 300 pairs
TEMPLATES = {stage: [f"{stage}-{number}" for number in range(5)] for stage in ("draft", "essay", "evaluation")}
MODELS = ("model-a", "model-b")
TEXTS = {"draft": "{{ concepts | length }}", "essay": "{{ draft_block }}", "evaluation": "{{ response }}"}
CROSSING = f"axes:\n  essay_llm: [{', '.join(MODELS)}]\n"
SPECS = {
    "crossing": CROSSING,
    "rows of a file": (
        "rules:\n  tuples:\n    rows:\n"
        "      axes: [combo, draft_template, draft_llm, essay_template, essay_llm, "
        "evaluation_template, evaluation_llm]\n"
        "      items: '@file:rows.csv'\n"
    ),
    "sample of 30,000,000": (
        f"{CROSSING}  evaluation_replicate: 100\n"
        "sample: {n: 300000, seed: 1, balance: [draft_template, draft_llm, evaluation_llm]}\n"
    ),
}


def main() -> None:
    """Print the figures as JSON."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    figures: dict[str, object] = {"load_average_at_start": os.getloadavg()[0]}
    with tempfile.TemporaryDirectory(prefix="specs-") as name:
        folder = Path(name)
        _write_inputs(folder)
        for number, (what, spec) in enumerate(SPECS.items()):
            cohort = folder / "data" / "cohorts" / f"c{number}"
            cohort.mkdir(parents=True)
            (cohort / "spec.yaml").write_text(spec, encoding="utf-8")
            if "rows.csv" in spec:
                _write_rows(folder, cohort / "rows.csv")
            figures[what] = _measured(folder, f"c{number}")
    print(json.dumps(figures, indent=2))


def _measured(folder: Path, cohort: str) -> dict[str, float]:
    script = str(PROJECT / "scripts" / "build_membership.py")
    command = [sys.executable, script, "--directory", str(folder), "--config", f"cohort={cohort}"]
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{cohort}: {command} failed")
    table = folder / "data" / "cohorts" / cohort / "membership.csv"
    return {
        "evaluations": table.read_text(encoding="utf-8").count("\nevaluation,"),
        "seconds": round(seconds, 1),
        "processor_seconds": round(used.ru_utime + used.ru_stime, 1),
        "memory_mb": used.ru_maxrss // 1024,
    }


def _write_inputs(folder: Path) -> None:
    raw = folder / "data" / "1_raw"
    descriptions = raw / "concepts" / "descriptions-paragraph"
    descriptions.mkdir(parents=True)
    (folder / "config.yaml").write_text("default_endpoint: embedded\nk_max: 2\n", encoding="utf-8")
    _write_table(raw / "concepts_metadata.csv", "concept_id,name,active", ((one, one, "true") for one in CONCEPTS))
    for concept in CONCEPTS:
        (descriptions / f"{concept}.txt").write_text("What is known of it.\n", encoding="utf-8")
    for stage, names in TEMPLATES.items():
        rows = ((one, "llm", "in_last_line" if stage == "evaluation" else "", TEXTS[stage], "true") for one in names)
        _write_table(raw / f"{stage}_templates.csv", "template_id,generator,parser,content,active", rows)
    models = ((one, one, "", one, "true", "true") for one in MODELS)
    _write_table(raw / "llm_models.csv", "id,model,provider,display_name,for_generation,for_evaluation", models)


def _write_rows(folder: Path, path: Path) -> None:
    """The rows of the crossing as a table; its combos are those that the first cohort recorded."""
    with (folder / "data" / "combo_mappings.csv").open(encoding="utf-8", newline="") as stream:
        combos = dict.fromkeys(row["combo_id"] for row in csv.DictReader(stream))
    assert len(combos) == len(list(combinations(CONCEPTS, 2)))
    choices = (combos, *(choice for names in TEMPLATES.values() for choice in (names, MODELS)))
    columns = "combo,draft_template,draft_llm,essay_template,essay_llm,evaluation_template,evaluation_llm"
    _write_table(path, columns, product(*choices))


def _write_table(path: Path, columns: str, rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns.split(","))
        writer.writerows(rows)


if __name__ == "__main__":
    main()
