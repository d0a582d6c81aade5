"""The report as a target: made with everything else, made alone when it is gone, and not made again for nothing."""

from __future__ import annotations

import hashlib
import re
import zipfile

from studies import Study

# The report says when the last run was.
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC")


def test_the_report_is_part_of_a_whole_run_and_a_target_of_its_own(copied: Study):
    files = copied.paths.cohort("c1")
    page = files.report.read_text(encoding="utf-8")
    assert "Cohort <bdi>c1</bdi>" in page
    assert "<svg" in page
    files.report.unlink()
    assert copied.run("report").calls == ()
    assert _MOMENT.sub("", files.report.read_text(encoding="utf-8")) == _MOMENT.sub("", page)
    assert copied.run("report").did_nothing


def test_the_pages_to_read_in_are_part_of_a_whole_run_and_are_made_again_when_they_are_gone(copied: Study):
    index = copied.paths.cohort("c1").reading_index
    page = index.read_text(encoding="utf-8")
    essays = sorted(path.name for path in index.parent.joinpath("essays").iterdir())
    assert essays
    index.unlink()
    assert copied.run("report").calls == ()
    assert index.read_text(encoding="utf-8") == page
    assert sorted(path.name for path in index.parent.joinpath("essays").iterdir()) == essays
    assert copied.run("report").did_nothing


def test_a_readers_scores_make_the_report_and_the_tables_again_and_nothing_else(copied: Study):
    files = copied.paths.cohort("c1")
    page = files.report.read_text(encoding="utf-8")
    essay = next(path for path in (copied.paths.gens / "essay").iterdir() if (path / "parsed.txt").exists())
    digest = hashlib.sha256((essay / "parsed.txt").read_bytes()).hexdigest()
    scores = copied.paths.human_scores
    scores.write_text(
        "essay_gen_id,rubric,reader,score,created_at,text_sha256\n"
        f"{essay.name},novelty,ann,4.5,2026-02-01T12:00:00Z,{digest}\n"
    )
    assert copied.run("all").calls == ()
    assert "reader ann" in files.report.read_text(encoding="utf-8")
    assert "reader:ann" in (files.reports / "agreement.csv").read_text(encoding="utf-8")
    assert copied.run("all").did_nothing
    scores.unlink()
    copied.run("all")
    assert _MOMENT.sub("", files.report.read_text(encoding="utf-8")) == _MOMENT.sub("", page)


def test_snakemakes_own_report_has_the_same_results_with_captions(copied: Study):
    run = copied.run("all", "--report", "out.zip")
    assert "WARNING" not in run.output
    files = copied.paths.cohort("c1")
    with zipfile.ZipFile(copied.folder / "out.zip") as archive:
        names = archive.namelist()
        page = archive.read("out/report.html").decode()
        for path in (files.scores, files.report, files.reports / "contrasts.csv", *files.plots.glob("*/*.svg")):
            [name] = (name for name in names if name.endswith(f"/{path.name}") and name != "out/report.html")
            assert archive.read(name) == path.read_bytes()
    for text in ("A row for each evaluation", "paired within combos", "A chart of the report", "Tables", "Plots"):
        assert text in page
