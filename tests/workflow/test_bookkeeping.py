"""What Snakemake writes down: as much as it needs to decide, and to tell, what was made when and from what."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from pathlib import Path

from studies import Study


def records(study: Study) -> dict[str, dict]:
    """Snakemake's records of the generations, by their rule."""
    files = (study.folder / ".snakemake/metadata").rglob("*")
    read = [json.loads(file.read_text()) for file in files if file.is_file()]
    return {record["rule"]: record for record in read}


def markers(study: Study) -> list[Path]:
    return list((study.folder / ".snakemake/incomplete").iterdir())


def test_the_records_of_a_generation_tell_what_it_was_made_from_and_when(finished: Study):
    record = records(finished)["evaluation"]
    parent = next(path for path in record["input"] if path.endswith("parsed.txt"))
    assert "/essay/" in parent
    assert set(record["input_checksums"]) == set(record["input"])
    assert "template novelty@" in str(record["params"])
    assert record["starttime"] < record["endtime"]
    assert record["incomplete"] is False


def test_snakemake_reads_these_records(copied: Study):
    evaluation = copied.rows("evaluation")[0]
    summary = copied.run("--detailed-summary").output
    assert f"{evaluation.gen_id}/parsed.txt" in summary
    assert copied.run("-n", "--config", "full_dag=true").did_nothing
    copied.configure(stages={"evaluation": {"temperature": 0.5}})
    changed = copied.run("--list-params-changes").output
    assert str(copied.files(evaluation).parsed.relative_to(copied.folder)) in changed


def test_nothing_is_left_of_a_run_that_went_well(finished: Study):
    assert markers(finished) == []
    logs = [path for path in (finished.folder / "logs").rglob("*.log") if path.parent.name in ("draft", "evaluation")]
    assert logs == [], "a log of a generation is there only where it failed"


def test_a_marker_of_an_older_version_goes_away_and_costs_nothing(copied: Study):
    evaluation = copied.rows("evaluation")[0]
    own = copied.files(evaluation).parsed.relative_to(copied.folder)
    (recorded,) = (path for path in (copied.folder / ".snakemake/metadata").rglob("*") if name_of(path) == str(own))
    marker = copied.folder / ".snakemake/incomplete" / recorded.relative_to(copied.folder / ".snakemake/metadata")
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.write_text("{}")
    assert copied.run().calls == ()
    assert markers(copied) == []
    assert copied.run("-n").did_nothing


def name_of(record: Path) -> str:
    """The output that a record is of: its name is that in base64."""
    try:
        return urlsafe_b64decode(record.name).decode()
    except ValueError:
        return ""
